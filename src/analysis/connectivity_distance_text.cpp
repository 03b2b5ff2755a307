#include <algorithm>

#include <fmt/format.h>

#include "analysis/connectivity_distance_report.hpp"

namespace rankflow::analysis {
namespace {

std::string overlap_text(const NetworkReading& reading, int rank) {
  const auto width = static_cast<std::size_t>(rank);
  std::string text;
  for (std::size_t r = 0; r < width; ++r) {
    text += r == 0 ? "[" : ", [";
    for (std::size_t s = 0; s < width; ++s)
      text += fmt::format("{}{:.3g}", s == 0 ? "" : ", ", reading.overlap[r * width + s]);
    text += "]";
  }
  return text;
}

std::string eigenvalues_text(const NetworkReading& reading) {
  std::string text;
  for (const auto& value : reading.eigenvalues)
    text += fmt::format("{}{:.3g}{}", text.empty() ? "" : ", ", value.real(),
                        value.imag() == 0 ? "" : fmt::format("{:+.3g}i", value.imag()));
  return text;
}

std::string loadings_text(const NetworkComparison& found) {
  const auto drawn = [&](std::int64_t neurons) { return std::min(neurons, found.points); };
  std::string text = fmt::format(
      "distribution of (m, b, d)\n"
      "  Sinkhorn divergence  {:.4g}  ({} and {} neurons; {} iterations, {:.1g} of the mass misplaced{})\n"
      "  of halves            {:.4g} (first), {:.4g} (second): what sampling alone makes of half as many\n"
      "  sliced transport     {:.4g}\n",
      found.loadings.divergence, drawn(found.first.neurons), drawn(found.second.neurons), found.loadings.iterations,
      found.loadings.residual, found.loadings.converged ? "" : ": NOT converged", found.first.sampling,
      found.second.sampling, found.sliced);
  return text;
}

std::string weights_text(const WeightCorrelations& weights) {
  const auto number = [](const std::optional<double>& value) { return value ? fmt::format("{:.4g}", *value) : "none"; };
  return fmt::format(
      "correlation of weights\n"
      "  neuron by neuron     {}, effective {}\n"
      "  sorted, effective    {}  ({} neurons of each)\n{}",
      number(weights.weights), number(weights.effective_weights), number(weights.sorted_effective_weights),
      weights.sorted_neurons, weights.why_not.empty() ? "" : fmt::format("  not available: {}\n", weights.why_not));
}

}  // namespace

std::string comparison_text(const NetworkComparison& found) {
  std::string text =
      fmt::format("first: {} neurons, second: {} neurons; rank {}, {} input channel(s)\n\n", found.first.neurons,
                  found.second.neurons, found.rank, found.inputs) +
      loadings_text(found) +
      fmt::format(
          "E[n | m, b, d], mean squares per neuron and component\n"
          "  first                {}\n"
          "  second               {}\n"
          "  n of the second      {:.4g} from the first's conditional mean; divergence and this: {:.4g}\n"
          "  its mean             {:.4g} from the first's: the part that the dynamics can see\n"
          "  free part            {:.4g} (first), {:.4g} (second): n about its own mean, invisible in the dynamics\n",
          found.first.conditional_mean, found.second.conditional_mean, found.conditional_error,
          found.loadings.divergence + found.conditional_error, found.mean_error, found.first.free_part,
          found.second.free_part) +
      fmt::format("overlaps n'm / N       {} (first), {} (second)\n", overlap_text(found.first, found.rank),
                  overlap_text(found.second, found.rank)) +
      fmt::format("  their eigenvalues    {} (first), {} (second)\n", eigenvalues_text(found.first),
                  eigenvalues_text(found.second)) +
      weights_text(found.weights) +
      fmt::format("flow fields            {:.4g} relative difference at {} points within ± {:.3g}\n",
                  found.flow_difference, found.grid.count(), found.grid.range);
  for (const auto* reading : {&found.first, &found.second}) {
    const auto sketch = flow_sketch(found.grid, reading->flow.total);
    if (!sketch.empty())
      text += fmt::format("\nflow of the {}\n{}", reading == &found.first ? "first" : "second", sketch);
  }
  return text;
}

}  // namespace rankflow::analysis
