#include "sweep/metrics.hpp"

#include <cmath>
#include <limits>

#include "io/hdf5_file.hpp"
#include "io/provenance.hpp"

namespace rankflow::sweep {
namespace {

using Metrics = std::map<std::string, double>;

constexpr std::uint64_t values_at_once = std::uint64_t{1} << 16;

double whole_attribute(const io::File& file, const char* group, const char* name) {
  const auto found = file.attribute(group, name);
  const auto* value = found ? std::get_if<std::int64_t>(&*found) : nullptr;
  if (value == nullptr) throw InputDataError("{}: attribute {} of {} is missing", file.name(), name, group);
  return static_cast<double>(*value);
}

/// Sum and count of the finite ones among transformed values.
struct Mean {
  double sum = 0;
  double count = 0;
  void add(double value) {
    if (!std::isfinite(value)) return;
    sum += value;
    count += 1;
  }
  double value() const { return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN(); }
};

/// Visits a dataset in blocks of whole rows of its first axis or parts of one.
template <class Visit>
void for_each_value(const io::File& file, const std::string& path, const Visit& visit) {
  const auto shape = file.info(path).shape;
  const auto rows = shape.size() > 1 ? shape[0] * shape[1] : shape[0];
  if (rows == 0) return;
  const auto per_row = io::count_of(shape) / rows;
  const auto length = shape.size() > 1 ? shape[1] : shape[0];
  const auto block = std::max<std::uint64_t>(1, values_at_once / std::max<std::uint64_t>(per_row, 1));
  std::vector<double> values;
  for (std::uint64_t first = 0; first < rows;) {
    const auto within = first % length;
    const auto count = std::min(block, length - within);
    auto offset = io::Shape(shape.size(), 0);
    auto extent = shape;
    if (shape.size() > 1) {
      offset[0] = first / length;
      extent[0] = 1;
      offset[1] = within;
      extent[1] = count;
    } else {
      offset[0] = within;
      extent[0] = count;
    }
    values.resize(count * per_row);
    file.read_rows(path, offset, extent, std::span<double>(values));
    for (const double value : values) visit(value);
    first += count;
  }
}

void add_mean(Metrics& metrics, const io::File& file, const char* name, const char* path) {
  if (!file.has_dataset(path)) return;
  Mean mean;
  for_each_value(file, path, [&](double value) { mean.add(value); });
  metrics[name] = mean.value();
}

void add_root_mean_square(Metrics& metrics, const io::File& file, const char* name, const char* path) {
  if (!file.has_dataset(path)) return;
  Mean squares;
  for_each_value(file, path, [&](double value) { squares.add(value * value); });
  metrics[name] = std::sqrt(squares.value());
}

void add_counters(Metrics& metrics, const io::File& file) {
  if (!file.has_group("/integrator")) return;
  for (const auto& path : file.datasets("/integrator")) {
    const auto name = path.substr(path.rfind('/') + 1);
    if (name == "stop_time") continue;
    double sum = 0;
    for_each_value(file, path, [&](double value) { sum += value; });
    metrics["integrator_" + name] = sum;
  }
}

Metrics of_fit(const io::File& file) {
  const double done = whole_attribute(file, "/training", "epochs_done");
  const double best = whole_attribute(file, "/training", "best_epoch");
  const auto training = file.read_all<double>("/training/log_likelihood");
  const auto held_out = file.read_all<double>("/training/validation_log_likelihood");
  const auto at = [](const std::vector<double>& curve, double epoch) {
    return curve.at(static_cast<std::size_t>(epoch));
  };
  Metrics metrics{{"epochs", done},
                  {"best_epoch", best},
                  {"log_likelihood", at(training, best)},
                  {"final_log_likelihood", at(training, done)}};
  if (std::isfinite(at(held_out, best))) {
    metrics["held_out_log_likelihood"] = at(held_out, best);
    metrics["final_held_out_log_likelihood"] = at(held_out, done);
  }
  return metrics;
}

Metrics of_flow(const io::File& file) {
  Metrics metrics;
  for (const auto& listing : flow_metrics()) {
    const auto found = file.attribute("/judgement", listing.name);
    if (const auto* value = found ? std::get_if<double>(&*found) : nullptr) metrics[listing.name] = *value;
  }
  return metrics;
}

Metrics of_simulation(const io::File& file) {
  Metrics metrics;
  add_root_mean_square(metrics, file, "latent_rms", "/trajectory/latent");
  add_root_mean_square(metrics, file, "latent_rms", "/truth/latent");
  add_mean(metrics, file, "mean_rate", "/trajectory/rates");
  add_mean(metrics, file, "mean_observation", "/trajectory/observations");
  add_mean(metrics, file, "mean_observation", "/recording/observations");
  add_counters(metrics, file);
  return metrics;
}

}  // namespace

const std::vector<MetricListing>& fit_metrics() {
  static const std::vector<MetricListing> list{
      {"held_out_log_likelihood", "per step, of the model kept, on the data held out (training.validation_fraction)"},
      {"final_held_out_log_likelihood", "the same after the last epoch"},
      {"log_likelihood", "per step, of the model kept, on the data it was fitted to"},
      {"final_log_likelihood", "the same after the last epoch"},
      {"best_epoch", "after which the model was kept"},
      {"epochs", "done"},
      {"wall_seconds", "of all sessions"}};
  return list;
}

const std::vector<MetricListing>& flow_metrics() {
  static const std::vector<MetricListing> list{
      {"drift_error_validation", "relative error of the sampled neurons' drive at the states that judge the training"},
      {"drift_error_test", "the same at the states that judge the result"},
      {"drift_error_training", "the same at the states that teach"},
      {"wall_seconds", "of all sessions"}};
  return list;
}

const std::vector<MetricListing>& run_metrics() {
  static const std::vector<MetricListing> list{{"latent_rms", "root mean square of the latents, all trials and times"},
                                               {"mean_rate", "of the rates stored (output.rates)"},
                                               {"mean_observation", "of the observations stored"},
                                               {"wall_seconds", "of all sessions"}};
  return list;
}

const std::vector<MetricListing>& recording_metrics() {
  static const std::vector<MetricListing> list{{"latent_rms", "root mean square of the latents, all trials and times"},
                                               {"mean_observation", "of the observations"},
                                               {"wall_seconds", "of all sessions"}};
  return list;
}

std::map<std::string, double> read_metrics(const std::filesystem::path& result) {
  const parallel::Communicator alone;
  const auto file = io::File::open(alone, result);
  io::require_readable_format(file);
  const auto is = [type = file.attribute("/", "file_type")](io::FileType which) {
    return type == io::Attribute(io::name_of(which));
  };
  auto metrics = is(io::FileType::fit) ? of_fit(file) : is(io::FileType::flow) ? of_flow(file) : of_simulation(file);
  if (const auto seconds = file.attribute("/provenance", "wall_seconds"))
    if (const auto* value = std::get_if<double>(&*seconds)) metrics["wall_seconds"] = *value;
  return metrics;
}

}  // namespace rankflow::sweep
