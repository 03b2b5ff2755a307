#pragma once
#include <cstdint>
#include <string>
#include <unordered_set>

#include "sweep/halving.hpp"
#include "sweep/ledger.hpp"
#include "sweep/plan.hpp"
#include "sweep/shared_folder.hpp"

namespace rankflow::sweep {

/// The reports of all workers of a sweep in one order, stored as halving/000001, 000002, … of its directory: each is
/// created exclusively, so that all see the same order and decide the same. Reports of cases that are not in the plan,
/// or after another number of epochs than its rung's, are left out: the sweep file was changed.
class HalvingRecord {
 public:
  explicit HalvingRecord(const Plan& plan);

  /// Reads what others have reported since.
  void update();
  /// Stores the case's value after `epochs`, which is one of the plan's rungs. Throws InputOutputError.
  void report(const std::string& id, std::int64_t epochs, double value);

  /// As Halving::promote_leader, in memory only: it follows from the reports.
  bool promote_leader() { return halving_.promote_leader(); }
  bool may_run(const std::string& id) const { return halving_.may_run(id); }
  /// Whether an unfinished case stands at a rung and may not go on.
  bool is_paused(const std::string& id, const CaseState& state) const { return state.last_ended && !may_run(id); }
  /// Whether an unfinished case runs, or may run, to a rung where its report may let others go on.
  bool will_report(const std::string& id, const CaseState& state) const {
    return !is_paused(id, state) && pause_of(id) > 0;
  }
  std::size_t rungs_of(const std::string& id) const { return halving_.rungs_of(id); }
  /// Epochs after which the case pauses next; 0: it runs to its end.
  std::int64_t pause_of(const std::string& id) const;

 private:
  bool read_next();

  const Plan& plan_;
  std::unordered_set<std::string> ids_;  ///< of the plan
  SharedFolder files_;
  Halving halving_;
  std::int64_t known_ = 0;  ///< reports read
};

}  // namespace rankflow::sweep
