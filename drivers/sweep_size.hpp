#pragma once
#include <cstddef>
#include <cstdint>

#include "sweep/plan.hpp"

namespace rankflow::drivers {

/// What the cases of a sweep take, by their drivers' own dry runs.
struct SweepSize {
  std::size_t looked_at = 0;       ///< cases
  std::uint64_t memory = 0;        ///< bytes of the largest case, all its ranks together
  std::uint64_t largest_file = 0;  ///< bytes
  double all_files = 0;            ///< bytes of all results, those not looked at like the others on average
};

/// Looks at the first `settings` cases, which differ by more than their seeds: at all of them or at `most` evenly
/// spaced ones. Throws what the driver would, naming the case.
SweepSize size_of(const sweep::Plan& plan, std::size_t settings, std::size_t most);

}  // namespace rankflow::drivers
