#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/fixed_points_file.hpp"

namespace rankflow::analysis {
namespace {

/// Points that are listed one by one; the rest is in the file.
constexpr std::size_t most_lines = 100;

std::string count_text(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count == 0 ? "no" : std::to_string(count), what, count == 1 ? "" : "s");
}

std::string place_text(const Eigen::VectorXd& place) {
  std::string out;
  for (const double value : place) out += fmt::format("{:>12.5g}", value);
  return out;
}

/// "stable", "saddle (1 of 3 directions grow)", "on a kink: …".
std::string verdict_text(const FixedPoint& point) {
  if (point.kind == FixedPointKind::continuum) return "point of a continuum of fixed points";
  if (point.kind == FixedPointKind::boundary) return "on a kink: linearisation does not decide";
  const auto verdict = point.linear.verdict;
  if (verdict == Stability::saddle)
    return fmt::format("saddle ({} of {} directions grow)", point.linear.growing, point.linear.eigenvalues.size());
  return verdict == Stability::undecided ? "undecided: an eigenvalue lies on the limit" : name_of(verdict);
}

/// What decides about stability: the largest |eigenvalue| of a map, the largest growth rate of a flow.
double decisive(const LinearStability& linear, bool discrete) {
  const auto value = linear.eigenvalues.front();
  return discrete ? std::abs(value) : value.real();
}

std::string table(const LatentMap& map, const FixedPointReport& report) {
  const bool basins = report.basins.starts > 0;
  std::string out = fmt::format("{:>5}", "");
  for (int r = 1; r <= map.rank(); ++r) out += fmt::format("{:>12}", fmt::format("z{}", r));
  out += fmt::format("{:>14}{:>10}{}  what it is\n", map.discrete() ? "|eigenvalue|" : "growth (1/s)", "residual",
                     basins ? "    starts" : "");
  for (std::size_t i = 0; i < std::min(report.points.size(), most_lines); ++i) {
    const auto& point = report.points[i];
    out += fmt::format("{:>5}{}{:>14.6g}{:>10.1e}", i + 1, place_text(point.place),
                       decisive(point.linear, map.discrete()), point.residual);
    if (basins) out += fmt::format("{:>9.1f}%", 100 * point.basin);
    out += "  " + verdict_text(point) + "\n";
  }
  if (report.points.size() > most_lines)
    out += fmt::format("      … and {} more, in the file\n", report.points.size() - most_lines);
  return out;
}

std::string summary(const std::vector<FixedPoint>& points) {
  const auto of = [&](Stability verdict) {
    return std::count_if(points.begin(), points.end(), [&](const auto& p) { return p.linear.verdict == verdict; });
  };
  return fmt::format("{}: {} stable, {} saddles, {} unstable, {} undecided\n", count_text(points.size(), "fixed point"),
                     of(Stability::stable), of(Stability::saddle), of(Stability::unstable), of(Stability::undecided));
}

std::string cycles_text(const CycleSearch& search) {
  std::string out = fmt::format("{} of order {}; ", count_text(search.cycles.size(), "cycle"), search.order);
  out += search.starts == 0 && search.complete ? "complete\n"
         : search.starts > 0
             ? fmt::format("completeness is NOT guaranteed: searched from {} random starts\n", search.starts)
             : "completeness is NOT guaranteed: some places could not be resolved\n";
  for (std::size_t i = 0; i < std::min(search.cycles.size(), most_lines); ++i) {
    const auto& cycle = search.cycles[i];
    out += fmt::format("{:>5}{}{:>14.6g}{:>10.1e}  {}\n", i + 1, place_text(cycle.points.row(0)),
                       decisive(cycle.linear, true), cycle.residual, name_of(cycle.linear.verdict));
  }
  return out;
}

}  // namespace

std::string fixed_points_text(const LatentMap& map, const FixedPointReport& report) {
  std::string out = summary(report.points);
  if (!report.points.empty()) out += table(map, report);
  out += completeness_statement(report.effort) + "\n";
  if (report.basins.starts > 0)
    out += fmt::format("of {} random starts, {:.1f}% grew without bound and {:.1f}% did not settle\n",
                       report.basins.starts, 100 * report.basins.diverged, 100 * report.basins.elsewhere);
  for (const auto& search : report.cycles) out += cycles_text(search);
  return out;
}

}  // namespace rankflow::analysis
