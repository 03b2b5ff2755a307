#include "sweep/case_queue.hpp"

#include <algorithm>
#include <functional>

#include <unistd.h>

#include <fmt/format.h>

#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

/// A worker that begins asks so many holders whether they live: what died lately should not wait for the end.
constexpr std::size_t asked_at_start = 32;
/// In the end a worker asks so many, others than its neighbour does: a thousand that ask a thousand would take longer
/// than they wait. The last ones to end find few holders and ask all.
constexpr std::size_t asked_in_the_end = 64;
/// What a network file system lists may be old; then it is better to wait than to look again at once.
constexpr int most_looks = 3;
/// How much of stale_after an old heartbeat is watched before it is believed: when the file system itself stood still
/// nobody is dead.
constexpr double watched_share = 0.35;
/// s by which times of one file system may be out of order.
constexpr double most_jitter = 2;
/// Who waits for a report looks at the ledger so often, s, and in large sweeps for this share of the time.
constexpr double least_between_reports = 0.5;
constexpr double share_of_waiting = 0.02;

/// Below `size`, and another one in most other processes.
std::ptrdiff_t place_of_my_own(std::size_t size) {
  constexpr std::uint64_t scatter = 0x9E3779B97F4A7C15ULL;
  return static_cast<std::ptrdiff_t>(static_cast<std::uint64_t>(::getpid()) * scatter % size);
}

}  // namespace

CaseQueue::CaseQueue(const Plan& plan, Ledger& ledger, int ranks) : plan_(plan), ledger_(ledger), ranks_(ranks) {
  if (!plan.rungs.empty()) halving_.emplace(plan);
}

void CaseQueue::look_at_all() {
  const auto begin = Clock::now();
  const auto survey = ledger_.survey();
  look_seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
  fresh_.clear();
  begun_.clear();
  held_.clear();
  paused_.clear();
  cursor_ = 0;
  may_change_ = false;
  if (halving_) halving_->update();
  for (std::size_t index = 0; index < plan_.cases.size(); ++index) {
    const auto& one = plan_.cases[index];
    const auto found = survey.find(one.id);
    const auto state = found == survey.end() ? CaseState{} : found->second;
    if (state.done) continue;
    const bool paused = halving_ && halving_->is_paused(one.id, state);
    may_change_ = may_change_ || (halving_ && halving_->will_report(one.id, state));
    if (ranks_ > 0 && one.ranks != ranks_) continue;
    if (paused) {
      paused_.push_back({index, state});
    } else if (state.sessions == 0) {
      fresh_.push_back(index);
    } else {
      (state.last_ended ? begun_ : held_).push_back({index, state});
    }
  }
  taken_.assign(fresh_.size(), false);
  if (!held_.empty()) std::rotate(held_.begin(), held_.begin() + place_of_my_own(held_.size()), held_.end());
  if (halving_)
    std::ranges::stable_sort(begun_, std::greater<>{},
                             [&](const Candidate& c) { return halving_->rungs_of(plan_.cases[c.index].id); });
}

Claim CaseQueue::claim_of(const Candidate& candidate) const {
  Claim claim{.index = candidate.index,
              .session = candidate.state.sessions + 1,
              .deaths = candidate.state.deaths(),
              .retried = candidate.state.retried};
  if (!halving_) return claim;
  const auto& id = plan_.cases[candidate.index].id;
  claim.epochs = halving_->pause_of(id);
  if (!halving_->may_run(id)) {
    claim.aim = Aim::park;
  } else if (claim.epochs > 0) {
    claim.aim = Aim::pause;
  }
  return claim;
}

bool CaseQueue::leader_goes_on() {
  if (may_change_ || paused_.empty() || !halving_->promote_leader()) return false;
  look_at_all();
  return true;
}

std::optional<Claim> CaseQueue::next_halted() {
  while (!may_change_ && !paused_.empty()) {
    const auto candidate = paused_.front();
    paused_.pop_front();
    if (!claim(candidate, "")) continue;
    auto halted = claim_of(candidate);
    halted.aim = Aim::halt;
    return halted;
  }
  return std::nullopt;
}

Next CaseQueue::next() {
  const bool first = !looked_;
  if (first || halving_) look_at_all();
  looked_ = true;
  for (int look = 0; look < most_looks; ++look) {
    if (first && look == 0)
      if (auto claim = next_of_the_dead(asked_at_start)) return *claim;
    if (auto claim = next_begun()) return *claim;
    if (auto claim = next_new()) return *claim;
    look_at_all();
    if (begun_.empty() && fresh_.empty() && !leader_goes_on()) break;
  }
  if (auto claim = next_halted()) return *claim;
  doubt_ = !begun_.empty() || !fresh_.empty();
  const auto held = held_.size();
  if (auto claim = next_of_the_dead(asked_in_the_end)) return *claim;
  const double between_looks = watched_share * plan_.stale_after / 2;
  if (may_change_ && !paused_.empty()) {
    const double seconds = std::max(least_between_reports, look_seconds_ / share_of_waiting);
    return Doubt{.seconds = doubt_ ? std::min(seconds, between_looks) : seconds};
  }
  if (doubt_) return Doubt{.seconds = between_looks};
  return Nothing{.held = held};
}

bool CaseQueue::claim(const Candidate& candidate, const std::string& note) {
  const auto& id = plan_.cases[candidate.index].id;
  if (!ledger_.claim(id, candidate.state.sessions + 1, candidate.state.retried)) return false;
  if (note.empty()) return true;
  try {
    ledger_.end(id, candidate.state.sessions, Ending::died, {.reason = note});
  } catch (const InputOutputError&) {
    // It only explains, and the case is ours.
  }
  return true;
}

std::optional<Claim> CaseQueue::next_begun() {
  while (!begun_.empty()) {
    const auto candidate = begun_.front();
    begun_.pop_front();
    if (claim(candidate, "")) return claim_of(candidate);
  }
  return std::nullopt;
}

std::optional<Claim> CaseQueue::next_of_the_dead(std::size_t most) {
  for (; most > 0 && !held_.empty(); --most) {
    const auto candidate = held_.front();
    held_.pop_front();
    std::string note;
    if (is_dead(candidate, note) && claim(candidate, note)) return claim_of(candidate);
  }
  return std::nullopt;
}

bool CaseQueue::is_dead(const Candidate& candidate, std::string& note) {
  const auto& id = plan_.cases[candidate.index].id;
  const auto holding = ledger_.holding(id, candidate.state.sessions);
  if (!holding) return false;
  const auto& owner = holding->owner;
  if (owner.surely_gone()) {
    note = fmt::format("process {} on {} is gone", owner.process, owner.host);
    return true;
  }
  // A beat of the future was made before the file system's clock was put back; a holder that lives makes another one.
  if (holding->silence > -most_jitter && holding->silence < plan_.stale_after) {
    silent_.erase(id);
    // An owner that beats is silent for a sixth at most; some time more is left to slow file systems.
    doubt_ = doubt_ || holding->silence > plan_.stale_after / 2;
    return false;
  }
  const auto now = Clock::now();
  const auto [seen, fresh] = silent_.try_emplace(id, Silence{holding->beat, now});
  if (!fresh && seen->second.beat != holding->beat) seen->second = {holding->beat, now};
  const double watched = std::chrono::duration<double>(now - seen->second.since).count();
  doubt_ = true;
  if (watched < watched_share * plan_.stale_after) return false;
  note = owner.host.empty() ? fmt::format("no heartbeat for {:.0f} s", holding->silence)
                            : fmt::format("no heartbeat of process {} on {} for {:.0f} s", owner.process, owner.host,
                                          holding->silence);
  return true;
}

bool CaseQueue::taken(std::size_t position) {
  if (!taken_[position] && ledger_.begun(plan_.cases[fresh_[position]].id)) taken_[position] = true;
  return taken_[position];
}

/// `position` is taken. Cases are taken in order, more or less, so that the border is found by doubling steps and then
/// by halving; what is jumped over by mistake is found when all are looked at again.
std::size_t CaseQueue::first_free_after(std::size_t position) {
  std::size_t low = position;
  std::size_t step = 1;
  std::size_t high = low + step;
  while (high < fresh_.size() && taken(high)) {
    low = high;
    step *= 2;
    high = low + step;
  }
  high = std::min(high, fresh_.size());
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (taken(middle) ? low : high) = middle;
  }
  return high;
}

std::optional<Claim> CaseQueue::next_new() {
  while (cursor_ < fresh_.size()) {
    const auto position = cursor_;
    if (taken_[position]) {
      ++cursor_;
      continue;
    }
    taken_[position] = true;
    const auto index = fresh_[position];
    if (ledger_.claim(plan_.cases[index].id)) {
      ++cursor_;
      return claim_of({index, {}});
    }
    cursor_ = first_free_after(position);
  }
  return std::nullopt;
}

}  // namespace rankflow::sweep
