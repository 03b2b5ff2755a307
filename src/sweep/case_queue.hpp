#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "sweep/halving_record.hpp"
#include "sweep/ledger.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// What a session is for.
enum class Aim : std::int64_t {
  finish,  ///< run the case to its end
  pause,   ///< run it to a rung, where it is compared with others
  park,    ///< nothing: it has come to a rung and does not go on for now
  halt     ///< nothing: it will not go on, since no other case can change that any more
};

/// A case that this worker now holds.
struct Claim {
  std::size_t index = 0;  ///< in the plan's cases
  std::int64_t session = 1;
  std::int64_t deaths = 0;   ///< earlier sessions of the case that died
  std::int64_t retried = 0;  ///< sessions before its last retry
  Aim aim = Aim::finish;
  std::int64_t epochs = 0;  ///< after which to pause
};
/// Nothing can be claimed now, but perhaps after so many seconds: a holder may be dead, or a report may let a case go
/// on.
struct Doubt {
  double seconds = 0;
};
/// Nothing is left to claim.
struct Nothing {
  std::size_t held = 0;  ///< cases that living workers are at
};
using Next = std::variant<Claim, Doubt, Nothing>;

/// Chooses one worker's next case: at its start those of dead workers, so that one worker after the other takes the
/// cases in the order of one that nothing happened to; then cases that were begun and released, new ones in the plan's
/// order, and again those of dead workers. Looks at the whole ledger once at the start and whenever it believes that no
/// new case is left; in between a claim costs a number of operations that grows with the logarithm of the number of
/// cases that others took meanwhile. With halving it looks at the whole ledger for every claim: cases that may go on
/// come first, those that are furthest before others.
class CaseQueue {
 public:
  /// `ranks`: only cases of so many ranks; 0: all. Both must outlive the queue.
  CaseQueue(const Plan& plan, Ledger& ledger, int ranks);

  Next next();

 private:
  using Clock = std::chrono::steady_clock;
  struct Candidate {
    std::size_t index;
    CaseState state;
  };
  /// A heartbeat that was seen to be old, and since when.
  struct Silence {
    double beat;
    Clock::time_point since;
  };

  void look_at_all();
  /// Whether a case may go on since nobody else can come as far; looks at all again then.
  bool leader_goes_on();
  std::optional<Claim> next_halted();
  Claim claim_of(const Candidate& candidate) const;
  bool claim(const Candidate& candidate, const std::string& note);
  std::optional<Claim> next_begun();
  std::optional<Claim> next_new();
  /// `most`: how many holders to ask at most.
  std::optional<Claim> next_of_the_dead(std::size_t most);
  bool is_dead(const Candidate& candidate, std::string& note);
  bool taken(std::size_t position);
  std::size_t first_free_after(std::size_t position);

  const Plan& plan_;
  Ledger& ledger_;
  int ranks_;
  std::vector<std::size_t> fresh_;  ///< cases nobody had begun when all were looked at, in the plan's order
  std::vector<bool> taken_;         ///< of fresh_: known to be begun
  std::size_t cursor_ = 0;          ///< into fresh_
  std::deque<Candidate> begun_;     ///< released, or known to be dead
  std::deque<Candidate> held_;
  std::unordered_map<std::string, Silence> silent_;
  std::optional<HalvingRecord> halving_;
  std::deque<Candidate> paused_;  ///< at a rung, and not allowed on
  bool may_change_ = false;       ///< some case will report yet, which may let paused ones go on
  double look_seconds_ = 0;       ///< that the last look at the whole ledger took
  bool looked_ = false;
  bool doubt_ = false;  ///< some holder may be dead
};

}  // namespace rankflow::sweep
