#include "sweep/retry.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace rankflow::sweep {
namespace {

void require_retriable(const std::vector<std::string>& statuses) {
  const std::vector<std::string> known{name_of(Status::failed), name_of(Status::timeout), name_of(Status::dead)};
  for (const auto& status : statuses)
    if (std::ranges::find(known, status) == known.end())
      throw ConfigurationError(
          "--retry takes failed, timeout, dead or several of them with commas between; found '{}'.{}", status,
          did_you_mean(status, known));
}

}  // namespace

std::vector<Retrial> cases_to_retry(const Plan& plan, const std::vector<std::string>& statuses) {
  require_retriable(statuses);
  std::vector<Retrial> found;
  if (statuses.empty() || !std::filesystem::is_directory(plan.directory)) return found;
  const Ledger ledger(plan.directory);
  const auto survey = ledger.survey();
  for (const auto& one : plan.cases) {
    const auto state = survey.find(one.id);
    if (state == survey.end() || !state->second.done) continue;
    const auto outcome = ledger.outcome(one.id, state->second.retried);
    if (outcome && std::ranges::find(statuses, name_of(outcome->status)) != statuses.end())
      found.push_back({one.id, state->second.sessions, *outcome});
  }
  return found;
}

std::size_t retry(const Plan& plan, const std::vector<Retrial>& cases) {
  Ledger ledger(plan.directory);
  std::size_t begun = 0;
  for (const auto& one : cases) {
    // What earlier notes do not say yet of the time that was spent.
    const double seconds = one.outcome.seconds - ledger.notes(one.id, one.sessions).seconds;
    begun +=
        ledger.retry(one.id, one.sessions, {.seconds = std::max(0.0, seconds), .reason = name_of(one.outcome.status)})
            ? 1
            : 0;
  }
  return begun;
}

}  // namespace rankflow::sweep
