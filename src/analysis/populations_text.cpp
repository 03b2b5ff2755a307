#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/populations_report.hpp"

namespace rankflow::analysis {
namespace {

std::string curve_text(const MixtureSelection& selection) {
  std::string text = "populations  held-out log-likelihood (nat per neuron)  shortfall of the best      BIC\n";
  for (const auto& score : selection.scores)
    text += fmt::format("{:11}  {:>14.4f} ± {:<24.4f}  {:>8.4f} ± {:<8.4f}  {:>12.1f}{}\n", score.components,
                        score.log_likelihood, score.standard_error, score.shortfall, score.shortfall_error, score.bic,
                        score.components == selection.chosen ? "  <- chosen" : "");
  text += fmt::format("best score: {}; within one standard error of it: {}\n", selection.best, selection.one_error);
  if (selection.chosen == static_cast<int>(selection.scores.size()))
    text += "the largest number tried was chosen: more may fit better, raise populations.most\n";
  return text + "\n";
}

std::string values_text(const Eigen::VectorXd& values) {
  std::string text;
  for (const double value : values) text += fmt::format(" {:8.3f}", value);
  return text;
}

std::string points_text(const FixedPointReport& report) {
  const auto stable = std::count_if(report.points.begin(), report.points.end(),
                                    [](const auto& point) { return point.linear.verdict == Stability::stable; });
  return fmt::format("{} fixed point(s), {} stable", report.points.size(), stable);
}

std::string population_text(const Populations& populations, std::size_t k) {
  return fmt::format("{:10}  {:8}  {:6.3f}  mean {}\n{:28}  sd   {}\n", k + 1, populations.members[k],
                     populations.mixture.weights[k], values_text(populations.mixture.means[k]), "",
                     values_text(populations.mixture.covariances[k].diagonal().cwiseSqrt()));
}

/// The flow as a whole, then without each population; nothing for a rank that cannot be drawn.
std::string flows_text(const SilencingReport& silencing) {
  std::string text;
  const auto draw = [&](const std::string& title, const std::vector<double>& flow) {
    const auto sketch = flow_sketch(silencing.grid, flow);
    if (!sketch.empty()) text += fmt::format("\nflow {}\n{}", title, sketch);
  };
  draw("of the whole network", silencing.flow.total);
  for (std::size_t k = 0; k < silencing.flow.drive.size() && silencing.flow.drive.size() > 1; ++k)
    draw(fmt::format("without population {}", k + 1), flow_without(silencing.flow, k));
  return text;
}

}  // namespace

std::string populations_text(const Populations& populations, const SilencingReport& silencing) {
  std::string text;
  if (populations.selection) text += curve_text(*populations.selection);
  text += fmt::format("{} population(s); mean certainty of a neuron's label {:.3f}{}\n", populations.count(),
                      populations.mean_certainty, populations.converged ? "" : "; the mixture has NOT converged");
  text += fmt::format("{:>10}  {:>8}  {:>6}       ", "population", "neurons", "weight");
  for (const auto& name : populations.variables) text += fmt::format(" {:>8}", name);
  text += "\n";
  for (std::size_t k = 0; k < populations.members.size(); ++k) text += population_text(populations, k);
  text += "\nsilencing a population (n = 0 for its neurons)\n";
  for (std::size_t k = 0; k < silencing.change.size(); ++k)
    text += fmt::format("{:10}  flow changes by {:.3f}{}\n", k + 1, silencing.change[k],
                        silencing.whole ? "; " + points_text(silencing.without[k]) : "");
  text += silencing.whole ? fmt::format("      none  {}\n{}\n", points_text(*silencing.whole),
                                        completeness_statement(silencing.whole->effort))
                          : silencing.why_no_fixed_points + "\n";
  return text + flows_text(silencing);
}

}  // namespace rankflow::analysis
