#include "sweep/group_size.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rankflow::sweep {
namespace {

/// Of measured times: a larger group has to gain more than so much.
constexpr double precision = 0.05;

int largest_size(const GroupDemand& demand) {
  return std::max(1, demand.processors / std::max(1, demand.workers));
}

bool runs(const GroupSpeed& speed) {
  return std::isfinite(speed.seconds);
}

}  // namespace

std::int64_t groups_at_once(const GroupDemand& demand, int ranks) {
  const std::int64_t room = demand.workers > 0 ? demand.workers : demand.processors / ranks;
  return std::clamp<std::int64_t>(room, 1, std::max<std::int64_t>(1, demand.cases));
}

double predicted_makespan(const GroupDemand& demand, const GroupSpeed& speed) {
  const auto groups = groups_at_once(demand, speed.ranks);
  const auto rounds = (demand.cases + groups - 1) / groups;
  return static_cast<double>(rounds) * speed.seconds;
}

std::optional<int> next_group_size(const GroupDemand& demand, const std::vector<GroupSpeed>& measured) {
  GroupSpeed last{.ranks = 1, .seconds = 1};  // before anything is measured only ratios matter
  double best = std::numeric_limits<double>::infinity();
  for (const auto& speed : measured) {
    if (!runs(speed)) continue;
    last = speed;
    best = std::min(best, predicted_makespan(demand, speed));
  }
  if (measured.empty()) best = predicted_makespan(demand, last);
  const int first = measured.empty() ? 2 : 2 * measured.back().ranks;
  for (int ranks = first; ranks <= largest_size(demand); ranks *= 2) {
    const GroupSpeed ideal{.ranks = ranks, .seconds = last.seconds * last.ranks / ranks};
    if (predicted_makespan(demand, ideal) < (1 - precision) * best) return measured.empty() ? 1 : ranks;
  }
  return std::nullopt;
}

int best_group_size(const GroupDemand& demand, const std::vector<GroupSpeed>& measured) {
  int best = 1;
  double makespan = std::numeric_limits<double>::infinity();
  for (const auto& speed : measured) {
    if (!runs(speed)) continue;
    const double predicted = predicted_makespan(demand, speed);
    if (predicted >= (1 - precision) * makespan) continue;
    best = speed.ranks;
    makespan = predicted;
  }
  return best;
}

}  // namespace rankflow::sweep
