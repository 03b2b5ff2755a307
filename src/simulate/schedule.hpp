#pragma once
#include <cstdint>
#include <vector>

#include "config/simulate_options.hpp"

namespace rankflow::simulate {

/// Times of the saved rows, in s, none after the duration. A time that lies on the grid of time.step is exactly
/// k step, so that the inputs of a row are those of its step. Throws ConfigurationError when there would be more than
/// 2^31 rows.
std::vector<double> row_times(const config::TimeOptions& time);

/// Step index of each saved row. Throws ConfigurationError when a time is no multiple of `step` (within 1e-6 of one).
std::vector<std::int64_t> row_steps(const std::vector<double>& row_times, double step);

/// Steps of a fixed-step method in a trial: whole steps that fit the duration.
std::int64_t step_count(const config::TimeOptions& time);

}  // namespace rankflow::simulate
