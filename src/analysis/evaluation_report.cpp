#include "analysis/evaluation_report.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "analysis/smoothing.hpp"

namespace rankflow::analysis {
namespace {

std::string number_text(double value) {
  return std::isnan(value) ? "n/a" : fmt::format("{:.4g}", value);
}

/// Spread as of a sample, NaN for fewer than two series.
Moments over_series(const Statistic& statistic) {
  const auto count = static_cast<std::int64_t>(statistic.values.size());
  auto found = moments({1, count, 1, statistic.values});
  found.sd[0] *= std::sqrt(static_cast<double>(count) / static_cast<double>(count - 1));
  return found;
}

std::string line_of(const Statistic& statistic, std::size_t width, bool spread) {
  const auto found = over_series(statistic);
  auto line = fmt::format("{:<{}}  {:>10}", statistic.name, width, number_text(found.mean[0]));
  if (spread) line += fmt::format("  {:>10}", number_text(found.sd[0]));
  return line + fmt::format("  {:<4} {}\n", statistic.unit == "1" ? "" : statistic.unit, statistic.text);
}

}  // namespace

std::string text_of(const Evaluation& evaluation) {
  const bool spread = evaluation.series > 1;
  std::size_t width = 9;
  for (const auto& statistic : evaluation.statistics) width = std::max(width, statistic.name.size());
  auto text = fmt::format("{} generated trial{} compared with the data{}\n", evaluation.trials,
                          evaluation.trials == 1 ? "" : "s",
                          evaluation.trials == 1 ? ""
                          : spread               ? ", each by itself"
                                                 : ", all together");
  text += fmt::format("{:<{}}  {:>10}", "statistic", width, spread ? "mean" : "value");
  text += spread ? fmt::format("  {:>10}\n", "sd") : "\n";
  for (const auto& statistic : evaluation.statistics) text += line_of(statistic, width, spread);
  for (const auto& note : evaluation.notes) text += "note: " + note + "\n";
  return text;
}

void write_evaluation(io::File& file, const Evaluation& evaluation) {
  file.create_group("/evaluation");
  file.set_attribute("/evaluation", "observation_kind",
                     std::string(evaluation.kind == config::ObservationKind::poisson ? "poisson" : "gaussian"));
  file.set_attribute("/evaluation", "generated_trials", evaluation.trials);
  file.create_coordinate("/evaluation/frequency", evaluation.frequency, "Hz", "frequency");
  const auto write = [&](const std::string& name, const io::Shape& shape, const std::vector<std::string>& dimensions,
                         const std::string& unit, const std::string& text, const std::vector<double>& values) {
    const auto path = "/evaluation/" + name;
    file.create_dataset(
        {.path = path, .shape = shape, .dimensions = dimensions, .units = unit, .long_name = text, .fill = false});
    file.write_all(path, std::span(values));
  };
  for (const auto& statistic : evaluation.statistics)
    write(statistic.name, {statistic.values.size()}, {"series"}, statistic.unit, statistic.text, statistic.values);
  for (const auto& profile : evaluation.profiles) {
    const io::Shape shape(profile.shape.begin(), profile.shape.end());
    write(profile.name + "_data", shape, profile.dimensions, profile.unit, profile.text + " of the data", profile.data);
    write(profile.name + "_generated", shape, profile.dimensions, profile.unit,
          profile.text + " of the generated series", profile.generated);
  }
}

}  // namespace rankflow::analysis
