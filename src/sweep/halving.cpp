#include "sweep/halving.hpp"

#include <algorithm>
#include <cmath>

namespace rankflow::sweep {

Halving::Halving(std::size_t rungs, std::int64_t reduction, bool maximise)
    : rungs_(rungs), reduction_(reduction), maximise_(maximise) {}

bool Halving::is_better(double a, double b) const {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return maximise_ ? a > b : a < b;
}

void Halving::report(const RungReport& report) {
  if (report.rung >= rungs_.size() || report.rung != rungs_of(report.id)) return;
  reached_[report.id] = report.rung + 1;
  auto& [reports, promoted] = rungs_[report.rung];
  // Behind its equals: who reported first goes first.
  const auto place =
      std::ranges::find_if(reports, [&](const auto& other) { return is_better(report.value, other.value); });
  reports.insert(place, report);
  const auto many = static_cast<std::size_t>(static_cast<std::int64_t>(reports.size()) / reduction_);
  for (std::size_t i = 0; i < many; ++i)
    if (!std::isnan(reports[i].value)) promoted.insert(reports[i].id);
}

bool Halving::promote_leader() {
  const auto highest =
      std::find_if(rungs_.rbegin(), rungs_.rend(), [](const Rung& r) { return !r.best_first.empty(); });
  if (highest == rungs_.rend() || !highest->promoted.empty()) return false;
  const auto& leader = highest->best_first.front();
  return !std::isnan(leader.value) && highest->promoted.insert(leader.id).second;
}

std::size_t Halving::rungs_of(const std::string& id) const {
  const auto found = reached_.find(id);
  return found == reached_.end() ? 0 : found->second;
}

bool Halving::may_run(const std::string& id) const {
  const auto rungs = rungs_of(id);
  return rungs == 0 || rungs_[rungs - 1].promoted.contains(id);
}

}  // namespace rankflow::sweep
