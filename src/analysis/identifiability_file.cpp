#include "analysis/identifiability_file.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/neuron_array.hpp"

namespace rankflow::analysis {
namespace {

/// A dataset that every rank holds: [named axes].
struct HeldArray {
  std::string path;
  std::vector<std::string> axes;
  io::Shape shape;
  std::string long_name;
  std::string units = "1";
};

template <class T>
void write_held(io::File& file, const HeldArray& array, const std::vector<T>& values) {
  file.create_dataset({.path = array.path,
                       .shape = array.shape,
                       .dimensions = array.axes,
                       .type = std::is_same_v<T, std::uint8_t> ? io::Type::u8 : io::Type::f64,
                       .units = array.units,
                       .long_name = array.long_name});
  file.write_all<T>(array.path, values);
}

std::uint64_t length_of(std::int64_t count) {
  return static_cast<std::uint64_t>(count);
}

/// One value of each item.
template <class Items, class Pick>
std::vector<double> pick_values(const Items& items, Pick pick) {
  std::vector<double> values;
  values.reserve(items.size());
  for (const auto& item : items) values.push_back(pick(item));
  return values;
}

/// Names as an attribute, one a line: files that several ranks write hold no text arrays.
template <class Items>
std::string lines_of(const Items& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : "\n") + item.name;
  return text;
}

void write_spectrum(io::File& file, const FeatureSpectrum& spectrum) {
  const auto& gamma = spectrum.eigenvalues;
  const io::Shape shape{length_of(gamma.size())};
  write_held<double>(file,
                     {"/identifiability/eigenvalue",
                      {"mode"},
                      shape,
                      "eigenvalues of Phi Phi^T / (N T), the features at the visited states"},
                     {gamma.begin(), gamma.end()});
  const Eigen::VectorXd share = gamma.array() / (gamma.array() + spectrum.penalty);
  write_held<double>(
      file,
      {"/identifiability/determined", {"mode"}, shape, "gamma / (gamma + lambda): 1 required by the data, 0 free"},
      {share.begin(), share.end()});
}

void write_functionals(io::File& file, const IdentifiabilityReport& report) {
  const auto& functionals = report.functionals;
  const auto count = length_of(std::ssize(functionals));
  std::vector<double> given;
  std::vector<double> estimate;
  for (const auto& functional : functionals) {
    given.insert(given.end(), functional.given.begin(), functional.given.end());
    estimate.insert(estimate.end(), functional.estimate.begin(), functional.estimate.end());
  }
  const auto path = [](const char* name) { return std::string("/identifiability/") + name; };
  const io::Shape each{count};
  const io::Shape table{count, length_of(report.rank)};
  write_held(file, {path("functional_given"), {"functional", "rank"}, table, "functional of the given n"}, given);
  write_held(file, {path("functional_estimate"), {"functional", "rank"}, table, "its mean given the data"}, estimate);
  write_held(file, {path("functional_deviation"), {"functional"}, each, "its standard deviation given the data"},
             pick_values(functionals, [](const auto& f) { return f.deviation; }));
  write_held(file, {path("functional_prior_deviation"), {"functional"}, each, "and without data"},
             pick_values(functionals, [](const auto& f) { return f.prior_deviation; }));
  write_held(file, {path("functional_determined"), {"functional"}, each, "1 - (deviation / prior deviation)^2"},
             pick_values(functionals, [](const auto& f) { return f.determined(); }));
  file.set_attribute("/identifiability", "functional_names", lines_of(functionals));
}

void write_parts(io::File& file, const IdentifiabilityReport& report) {
  const auto& parts = report.parts;
  const io::Shape shape{length_of(report.rank)};
  const auto add = [&](const char* name, const char* text, const std::vector<double>& values) {
    write_held(file, {std::string("/identifiability/") + name, {"rank"}, shape, text}, values);
  };
  add("size", "root mean square of the given n", parts.size);
  add("required_size", "of its required part H n", parts.required);
  add("free_size", "of its free part n - H n", parts.free);
  add("drive", "root mean square over visited rows of the drive by n", parts.drive);
  add("required_drive", "by the required part", parts.required_drive);
  add("free_drive", "by the free part", parts.free_drive);
}

void write_conditions(io::File& file, const std::vector<Condition>& conditions) {
  const io::Shape shape{length_of(std::ssize(conditions))};
  const auto path = [](const char* name) { return std::string("/identifiability/") + name; };
  std::vector<std::uint8_t> verdicts;
  verdicts.reserve(conditions.size());
  for (const auto& condition : conditions) verdicts.push_back(static_cast<std::uint8_t>(condition.verdict));
  write_held(file, {path("condition"), {"condition_number"}, shape, "0 not met, 1 met, 2 does not apply", ""},
             verdicts);
  write_held(file, {path("condition_value"), {"condition_number"}, shape, "what was found"},
             pick_values(conditions, [](const auto& c) { return c.value; }));
  write_held(file, {path("condition_limit"), {"condition_number"}, shape, "what is asked for"},
             pick_values(conditions, [](const auto& c) { return c.limit; }));
  file.set_attribute("/identifiability", "condition_names", lines_of(conditions));
}

void write_tails(io::File& file, const IdentifiabilityReport& report) {
  using Which = TailEstimate ComponentTails::*;
  const std::vector<std::pair<const char*, Which>> kinds = {{"m", &ComponentTails::loading},
                                                            {"n", &ComponentTails::given},
                                                            {"required", &ComponentTails::required},
                                                            {"free", &ComponentTails::free}};
  const io::Shape shape{length_of(report.rank)};
  for (const auto& kind : kinds) {
    const std::string name = kind.first;
    const auto member = kind.second;
    const auto add = [&](const std::string& quantity, const std::string& text, double TailEstimate::*value) {
      write_held(file, {fmt::format("/identifiability/tail_{}_{}", quantity, name), {"rank"}, shape, text},
                 pick_values(report.tails, [&](const auto& tails) { return (tails.*member).*value; }));
    };
    add("index", "tail index (Hill); NaN: too few values", &TailEstimate::index);
    add("index_lower", "its 95 % interval", &TailEstimate::lower);
    add("index_upper", "its 95 % interval", &TailEstimate::upper);
    add("shape", "extreme-value index, above 0 for a power tail", &TailEstimate::shape);
    add("shape_lower", "its 95 % interval", &TailEstimate::shape_lower);
    add("shape_upper", "its 95 % interval", &TailEstimate::shape_upper);
  }
}

void write_coverage(io::File& file, const Coverage& coverage) {
  file.create_group("/coverage");
  file.set_attributes("/coverage", {{"supported_box", coverage.supported_box},
                                    {"supported_all", coverage.supported_all},
                                    {"visited_all", coverage.visited_all},
                                    {"worst_visited", coverage.worst_visited},
                                    {"limit", coverage.limit},
                                    {"lower", coverage.lower},
                                    {"upper", coverage.upper}});
  if (coverage.side == 0) return;
  std::vector<std::string> axes;
  for (std::size_t r = 0; r < coverage.axes.size(); ++r) {
    axes.push_back(fmt::format("z{}", r + 1));
    file.create_coordinate("/coverage/" + axes.back(), coverage.axes[r], "1", fmt::format("latent {}", r + 1));
  }
  const io::Shape shape(axes.size(), length_of(coverage.side));
  const auto add = [&](const char* name, const char* text, const auto& values) {
    write_held(file, {std::string("/coverage/") + name, axes, shape, text}, values);
  };
  add("deviation", "standard deviation of the drive given the data", coverage.deviation);
  add("prior_deviation", "standard deviation of the drive without data", coverage.prior_deviation);
  add("supported", "1: determined by what was visited, 0: extrapolated", coverage.supported);
  add("visited", "1: a visited state is nearest to this point", coverage.visited);
  auto drive_axes = axes;
  drive_axes.emplace_back("rank");
  auto drive_shape = shape;
  drive_shape.push_back(length_of(coverage.rank));
  write_held(file, {"/coverage/drive", drive_axes, drive_shape, "mean of the drive given the data"}, coverage.drive);
}

void write_neuron_array(io::File& file, const std::string& name, const std::string& text,
                        const parallel::Partition& partition, const model::NeuronArray<double>& values, bool columns) {
  const auto path = "/neurons/" + name;
  io::Shape shape{length_of(partition.global_count())};
  std::vector<std::string> axes{"neuron"};
  if (columns) {
    shape.push_back(length_of(values.columns()));
    axes.emplace_back("rank");
  }
  file.create_dataset(
      {.path = path, .shape = shape, .dimensions = axes, .units = "1", .long_name = text, .fill = false});
  io::write_neurons<double>(file, path, partition, static_cast<std::size_t>(values.columns()), values.values(),
                            columns ? io::Placement::rows() : io::Placement::vector());
}

void write_neuron_parts(io::File& file, const parallel::Partition& partition, const ConnectivityParts& parts) {
  file.create_group("/neurons");
  write_neuron_array(file, "required", "required part H n of the given n", partition, parts.required_part, true);
  write_neuron_array(file, "free", "free part n - H n of the given n", partition, parts.free_part, true);
  write_neuron_array(file, "estimate", "mean of n given the data", partition, parts.estimate, true);
  write_neuron_array(file, "resolution", "H_ii: share of n_i's variance that the data take away", partition,
                     parts.resolution, false);
}

void write_visited(io::File& file, const connectivity::VisitedStates& states) {
  const auto rows = length_of(states.rows);
  write_held(file, {"/visited/latent", {"row", "rank"}, {rows, length_of(states.rank)}, "visited latents z"}, states.z);
  write_held(file, {"/visited/drive", {"row", "rank"}, {rows, length_of(states.rank)}, "drive y that moved them"},
             states.y);
  if (states.inputs > 0)
    write_held(file, {"/visited/input", {"row", "input"}, {rows, length_of(states.inputs)}, "inputs v"}, states.v);
}

}  // namespace

void write_identifiability(io::File& file, const IdentifiabilityProblem& problem, const IdentifiabilityReport& report) {
  const auto& spectrum = report.spectrum;
  file.create_group("/identifiability");
  file.set_attributes("/identifiability", {{"latents", problem.origin.description},
                                           {"neurons", report.neurons},
                                           {"rows", report.rows},
                                           {"rows_dropped", report.dropped},
                                           {"penalty", spectrum.penalty},
                                           {"penalty_by", std::string(spectrum.evidence ? "evidence" : "given")},
                                           {"noise_variance", spectrum.assumed.noise},
                                           {"prior_variance", spectrum.assumed.prior},
                                           {"noise_variance_seen", spectrum.noise_seen},
                                           {"effective_parameters", spectrum.effective},
                                           {"misfit", spectrum.misfit},
                                           {"given_misfit", report.parts.misfit},
                                           {"feature_error", spectrum.error},
                                           {"free_bound", report.parts.free_bound}});
  write_spectrum(file, spectrum);
  write_functionals(file, report);
  write_parts(file, report);
  write_conditions(file, report.conditions);
  write_tails(file, report);
  write_coverage(file, report.coverage);
  write_neuron_parts(file, problem.network.partition, report.parts);
  write_visited(file, problem.states);
}

}  // namespace rankflow::analysis
