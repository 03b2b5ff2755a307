#include "simulate/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace rankflow::simulate {
namespace {

/// Times this close to the grid, in steps, are meant to lie on it.
constexpr double grid_tolerance = 1e-6;
constexpr double most_rows = 2147483648.0;

double on_grid(double time, double step) {
  const double whole = std::round(time / step);
  return std::abs(time / step - whole) <= grid_tolerance ? whole * step : time;
}

}  // namespace

std::vector<double> row_times(const config::TimeOptions& time) {
  std::vector<double> times = time.save_at;
  if (times.empty()) {
    const double interval = time.save_every.value_or(time.step);
    const double rows = std::floor(time.duration / interval + grid_tolerance) + 1;
    if (rows > most_rows)
      throw ConfigurationError("time.save_every: {:.3g} rows per trial would be saved; choose a longer interval", rows);
    times.resize(static_cast<std::size_t>(rows));
    for (std::size_t k = 0; k < times.size(); ++k) times[k] = static_cast<double>(k) * interval;
  }
  // An interval written with few digits may lead past the end, or beside the grid, by its rounding.
  for (double& t : times) t = std::min(on_grid(t, time.step), time.duration);
  return times;
}

std::vector<std::int64_t> row_steps(const std::vector<double>& row_times, double step) {
  std::vector<std::int64_t> steps;
  steps.reserve(row_times.size());
  for (const double time : row_times) {
    const double ratio = time / step;
    const double whole = std::round(ratio);
    if (std::abs(ratio - whole) > grid_tolerance)
      throw ConfigurationError(
          "time.save_every / time.save_at: {} s is not a multiple of time.step = {} s; fixed-step methods save at "
          "steps only: choose multiples, or an adaptive method, which interpolates",
          time, step);
    steps.push_back(static_cast<std::int64_t>(whole));
  }
  return steps;
}

std::int64_t step_count(const config::TimeOptions& time) {
  return static_cast<std::int64_t>(std::floor(time.duration / time.step + grid_tolerance));
}

}  // namespace rankflow::simulate
