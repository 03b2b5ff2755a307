#include "analysis/fixed_points.hpp"

#include <fmt/format.h>

#include "analysis/fixed_points_basins.hpp"
#include "analysis/fixed_points_exact.hpp"
#include "analysis/fixed_points_newton.hpp"

namespace rankflow::analysis {
namespace {

using config::FixedPointMethod;

LinearStability stability_at(const LatentMap& map, const FixedPoint& point) {
  const auto jacobian = map.jacobian(point.place);
  auto linear = map.discrete() ? map_stability(jacobian) : flow_stability(jacobian, map.tau());
  // On a kink the linearisations of several regions meet, and none of them decides.
  if (point.kind != FixedPointKind::isolated) linear.verdict = Stability::undecided;
  return linear;
}

bool is_exact(const LatentMap& map, const config::FixedPointsOptions& options) {
  return options.method == FixedPointMethod::exact ||
         (options.method == FixedPointMethod::automatic && map.piecewise_linear());
}

}  // namespace

std::string fixed_points_plan(const LatentMap& map, const config::FixedPointsOptions& options, std::uint64_t seed,
                              int ranks) {
  auto plan = fmt::format("neurons {}, rank {}, {}\n", map.neurons(), map.rank(),
                          map.discrete() ? "discrete time" : "continuous time");
  if (!is_exact(map, options)) return plan + fmt::format("Newton's method from {} random starts\n", options.starts);
  const RegionSearch search(map.kinked_system(), seed);
  plan += "exact search: " + work_text(search, ranks) + "\n";
  for (int order = 2; order <= options.cycles; ++order)
    plan += fmt::format("cycles of order {}: {:.3g} crossings\n", order, cycle_crossings(map, order, seed));
  return plan;
}

FixedPointReport find_fixed_points(const LatentMap& map, const config::FixedPointsOptions& options, std::uint64_t seed,
                                   const parallel::Communicator& comm, const StageProgress& progress) {
  const auto stage = [&](std::string name) {
    return [&progress, name = std::move(name)](double done) { progress(name, done); };
  };
  FixedPointReport report;
  report.points = is_exact(map, options)
                      ? exact_fixed_points(map, options, seed, comm, stage("fixed points, lines"), report.effort)
                      : newton_fixed_points(map, options, seed, comm, stage("fixed points, starts"), report.effort);
  for (auto& point : report.points) point.linear = stability_at(map, point);
  for (int order = 2; order <= options.cycles; ++order)
    report.cycles.push_back(
        find_cycles(map, order, options, seed, comm, stage(fmt::format("cycles of order {}", order))));
  if (options.basin_starts > 0)
    report.basins = measure_basins(map, options, seed, comm, stage("basins, starts"), report.points);
  return report;
}

std::string completeness_statement(const SearchEffort& effort) {
  if (effort.starts > 0)
    return fmt::format(
        "completeness is NOT guaranteed: {} of {} Newton runs from random starts ended in a fixed point; others may "
        "exist",
        effort.successes, effort.starts);
  if (!effort.complete)
    return fmt::format(
        "completeness is NOT guaranteed: at {} place(s) too many hyperplanes meet to be told apart; another run.seed "
        "leads past them",
        effort.unresolved);
  return fmt::format(
      "complete: {} hyperplanes, {:.4g} crossings followed, {} regions solved; fixed points nearer to each other than "
      "1e-8 of their size count as one",
      effort.hyperplanes, effort.crossings, effort.regions);
}

}  // namespace rankflow::analysis
