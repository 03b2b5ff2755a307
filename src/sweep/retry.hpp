#pragma once
#include <string>
#include <vector>

#include "sweep/ledger.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// A case that is over and shall not be.
struct Retrial {
  std::string id;
  std::int64_t sessions = 0;  ///< so far
  Outcome outcome;            ///< recorded, which stays
};

/// Cases of the plan that are over with one of these statuses: "failed", "timeout", "dead". Throws ConfigurationError
/// for another name.
std::vector<Retrial> cases_to_retry(const Plan& plan, const std::vector<std::string>& statuses);

/// Has these cases begin again, with a new limit of time and all attempts: those that failed from the start, the others
/// from their checkpoints. Returns how many; not those that somebody else did at the same time.
std::size_t retry(const Plan& plan, const std::vector<Retrial>& cases);

}  // namespace rankflow::sweep
