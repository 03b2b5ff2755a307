#pragma once
#include <optional>

#include "core/console.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "sweep/group_size.hpp"
#include "sweep/runner.hpp"

namespace rankflow::sweep {

/// What is to be measured: the first open case that asks for it.
struct Measurement {
  const Case* one = nullptr;
  GroupDemand demand;
};

/// Nothing when no case that asks for a measurement is open.
std::optional<Measurement> measurement_for(const Plan& plan, int processors, int workers);

/// How long each size of groups that could pay is tried, s.
inline constexpr double seconds_of_a_trial = 3;

/// s after which a trial that neither ends nor stops counts as failed: the supervisor's patience with a case.
double patience_with_trial(const Plan& plan);

struct MeasurementLimits {
  int workers = 0;       ///< groups at once; 0: as many as there is room for
  double wall_time = 0;  ///< s after which to stop; 0: until a signal or the job's end
};

/// Runs one case for seconds_of_a_trial on groups of 1, 2, 4, … ranks, as many groups at once as the sweep would have,
/// each of which throws away what it made; predicts from its progress how long the case takes, and records the size of
/// the shortest sweep (sweep/measured_ranks.hpp). Sizes that could not pay are left out. A case that fails on every
/// size leaves one rank recorded, and why. A size on which a case does not stop, or on which two measurements died, is
/// the last that is tried; in the first case the process is killed then, as nothing else ends it. Returns stopped, and
/// records nothing, when a signal came or time was up. Throws InputOutputError, and records nothing, when the folder
/// that it works in is removed. Collective over `world`.
ExitCode measure_ranks(const Plan& plan, const Runner& runner, const parallel::Communicator& world, Console& console,
                       const MeasurementLimits& limits);

}  // namespace rankflow::sweep
