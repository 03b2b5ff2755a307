#include "model/presets.hpp"

#include <array>

#include <fmt/format.h>

#include "core/error.hpp"

namespace rankflow::model {
namespace {

using config::PopulationOptions;
using config::Preset;

/// Zero-mean Gaussian with var m = 1, var n = 4 and the overlaps sigma[r][s] = cov(n_r, m_s).
PopulationOptions planar(const std::array<std::array<double, 2>, 2>& sigma) {
  PopulationOptions gaussian;
  gaussian.covariance = {{1.0, 0.0, sigma[0][0], sigma[1][0]},
                         {0.0, 1.0, sigma[0][1], sigma[1][1]},
                         {sigma[0][0], sigma[0][1], 4.0, 0.0},
                         {sigma[1][0], sigma[1][1], 0.0, 4.0}};
  return gaussian;
}

std::vector<PopulationOptions> four_clouds() {
  constexpr double m = 0.87;
  constexpr double n = 2.31;
  constexpr double variance = 0.25;
  std::vector<PopulationOptions> clouds;
  for (const auto& [a, b] : {std::pair{-1.0, 1.0}, {-1.0, -1.0}, {1.0, -1.0}, {1.0, 1.0}}) {
    auto& cloud = clouds.emplace_back();
    cloud.name = fmt::format("{}{}", a > 0 ? '+' : '-', b > 0 ? '+' : '-');
    cloud.mean = {a * m, b * m, a * n, b * n};
    cloud.covariance = {{variance, 0, 0, 0}, {0, variance, 0, 0}, {0, 0, variance, 0}, {0, 0, 0, variance}};
  }
  return clouds;
}

PopulationOptions decision_population() {
  PopulationOptions gaussian;
  gaussian.covariance = {{1.0, 1.4, 0.0}, {1.4, 7.0, 2.0}, {0.0, 2.0, 1.0}};
  return gaussian;
}

std::string row_text(const std::vector<double>& row) {
  return fmt::format("[{}]", fmt::join(row, ", "));
}

std::string rows_text(const std::vector<std::vector<double>>& rows) {
  std::string text;
  for (const auto& row : rows) text += (text.empty() ? "" : ", ") + row_text(row);
  return "[" + text + "]";
}

}  // namespace

PresetNetwork preset_network(Preset preset) {
  switch (preset) {
    case Preset::bistable:
      return {"bistable", "two stable fixed points", 2, 0, {planar({{{1.2, 0.8}, {0.0, 1.6}}})}};
    case Preset::quadstable:
      return {"quadstable", "four stable fixed points", 2, 0, four_clouds()};
    case Preset::limit_cycle:
      return {"limit_cycle", "a stable limit cycle", 2, 0, {planar({{{1.6, -0.8}, {0.8, 1.6}}})}};
    case Preset::ring_attractor:
      return {"ring_attractor", "a ring of nearly stable states", 2, 0, {planar({{{1.6, 0.0}, {0.0, 1.6}}})}};
    case Preset::decision:
      return {"decision", "two stable choices, one input that is integrated", 1, 1, {decision_population()}};
  }
  throw InternalError("unknown preset {}", static_cast<int>(preset));
}

std::string preset_table_markdown() {
  std::string table =
      "| preset | dynamics | rank | inputs | populations over (m, n, b), equal weights: mean; covariance |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const auto preset :
       {Preset::bistable, Preset::quadstable, Preset::limit_cycle, Preset::ring_attractor, Preset::decision}) {
    const auto network = preset_network(preset);
    std::string populations;
    for (const auto& p : network.populations)
      populations += fmt::format("{}{}; {}", populations.empty() ? "" : "<br>", p.mean.empty() ? "0" : row_text(p.mean),
                                 rows_text(p.covariance));
    table += fmt::format("| `{}` | {} | {} | {} | {} |\n", network.name, network.description, network.rank,
                         network.inputs, populations);
  }
  return table;
}

}  // namespace rankflow::model
