#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweep/ledger.hpp"
#include "sweep/outcome.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// Where a case stands.
enum class Stage { waiting, running, over };

/// What is known of one case of a plan.
struct CaseResult {
  Stage stage = Stage::waiting;
  std::optional<Outcome> outcome;  ///< when it is over
  std::int64_t retried = 0;        ///< sessions before the last retry

  bool done() const noexcept { return outcome && outcome->status == Status::done; }
  bool failed() const noexcept { return outcome && !done() && outcome->status != Status::halted; }
};

/// Follows the cases of a plan; outcomes, which change by a retry only, are read once.
class Results {
 public:
  /// The plan must outlive this.
  explicit Results(const Plan& plan) : plan_(plan), ledger_(plan.directory) {}

  /// Looks at the ledger anew. In the order of the plan's cases.
  const std::vector<CaseResult>& look();

 private:
  const Plan& plan_;
  Ledger ledger_;
  std::vector<CaseResult> cases_;
};

/// The value of the plan's metric; NaN when the case is not done or has none.
double metric_of(const Plan& plan, const CaseResult& result);

/// A setting with what its replicates came to.
struct Ranked {
  std::size_t first_case = 0;  ///< index of its first case in the plan
  std::size_t best_case = 0;   ///< index of the replicate with the best value
  double mean = 0;             ///< of the metric over the replicates that have it
  double spread = 0;           ///< standard deviation over them (n − 1); NaN for one
  std::size_t values = 0;      ///< how many of them
  std::size_t cases = 0;       ///< how many there are
};

/// Settings with at least one value, the best mean first; equal ones in the plan's order.
std::vector<Ranked> ranking(const Plan& plan, const std::vector<CaseResult>& results);

}  // namespace rankflow::sweep
