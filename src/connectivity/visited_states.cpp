#include "connectivity/visited_states.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

void check_trajectories(const Trajectories& given, double alpha) {
  if (!(alpha > 0.0 && alpha <= 1.0))
    throw ConfigurationError("alpha = time step / time constant must lie in (0, 1], found {}", alpha);
  const auto rows = static_cast<std::size_t>(given.trials) * static_cast<std::size_t>(given.steps);
  if (given.latents.size() != rows * static_cast<std::size_t>(given.rank) || given.rank < 1)
    throw InputDataError("latents hold {} values; {} trials x {} steps x rank {} need {}", given.latents.size(),
                         given.trials, given.steps, given.rank, rows * static_cast<std::size_t>(given.rank));
  if (given.signals.size() != rows * static_cast<std::size_t>(given.inputs))
    throw InputDataError("inputs hold {} values; {} trials x {} steps x {} channels need {}", given.signals.size(),
                         given.trials, given.steps, given.inputs, rows * static_cast<std::size_t>(given.inputs));
  if (!given.mask.empty() && given.mask.size() != rows)
    throw InputDataError("the mask holds {} values; {} trials x {} steps need {}", given.mask.size(), given.trials,
                         given.steps, rows);
}

/// Beyond, squares leave the range of numbers.
constexpr double largest_value = 1e100;

/// True when no value is a NaN. A huge one is an error: a trajectory that left the range of numbers.
bool usable(std::span<const double> values, std::string_view name, std::int64_t trial, std::int64_t step) {
  bool numbers = true;
  for (const double value : values) {
    if (std::abs(value) > largest_value)
      throw InputDataError(
          "{} of trial {}, step {} reach {}: the dynamics are unstable and have no connectivity; fit again with a "
          "smaller step or a decay below 1, or mask the steps after the escape",
          name, trial, step, value);
    numbers = numbers && !std::isnan(value);
  }
  return numbers;
}

/// What neurons see of the inputs, [time, I] of one trial.
std::vector<double> seen_inputs(const Trajectories& given, std::int64_t trial, double alpha, config::InputPath path) {
  const auto inputs = static_cast<std::size_t>(given.inputs);
  const auto length = static_cast<std::size_t>(given.steps) * inputs;
  const auto u = given.signals.subspan(static_cast<std::size_t>(trial) * length, length);
  std::vector<double> v(u.begin(), u.end());
  if (path == config::InputPath::raw || v.empty()) return v;
  std::fill_n(v.begin(), inputs, 0.0);
  for (std::size_t k = inputs; k < length; ++k) v[k] = v[k - inputs] + alpha * (u[k - inputs] - v[k - inputs]);
  return v;
}

void require_movement(const VisitedStates& states) {
  const auto rank = static_cast<std::size_t>(states.rank);
  double largest = 0.0;
  double range = 0.0;
  for (std::size_t r = 0; r < rank; ++r) {
    double low = states.z[r];
    double high = low;
    for (std::size_t k = r; k < states.z.size(); k += rank) {
      low = std::min(low, states.z[k]);
      high = std::max(high, states.z[k]);
    }
    range = std::max(range, high - low);
    largest = std::max({largest, std::abs(low), std::abs(high)});
  }
  if (range <= 1e-12 * largest)
    throw InputDataError(
        "the latents never change (all {} visited rows are equal): they say nothing about the connectivity beyond one "
        "point; give trajectories that move",
        states.rows);
}

}  // namespace

void check_visited_states(const VisitedStates& states) {
  const auto rows = static_cast<std::size_t>(states.rows);
  if (states.z.size() != rows * static_cast<std::size_t>(states.rank) || states.y.size() != states.z.size() ||
      states.v.size() != rows * static_cast<std::size_t>(states.inputs))
    throw InternalError("visited states of {} rows hold {} latents, {} inputs and {} drives", states.rows,
                        states.z.size(), states.v.size(), states.y.size());
  if (const auto needed = states.rank + states.inputs + 1; states.rows < needed)
    throw InputDataError(
        "{} usable rows of latents are too few for rank {} and {} inputs: at least {} pairs of successive rows are "
        "needed ({} were left out: masked, not a number, or of other parts of the data)",
        states.rows, states.rank, states.inputs, needed, states.dropped);
  for (const auto* values : {&states.z, &states.v, &states.y})
    for (const double value : *values)
      if (!std::isfinite(value)) throw InputDataError("visited states hold {}: leave such rows out", value);
}

VisitedStates visited_states(const Trajectories& trajectories, double alpha, config::InputPath path) {
  check_trajectories(trajectories, alpha);
  const auto rank = static_cast<std::size_t>(trajectories.rank);
  const auto inputs = static_cast<std::size_t>(trajectories.inputs);
  const auto steps = static_cast<std::size_t>(trajectories.steps);
  VisitedStates states{.rank = trajectories.rank, .inputs = trajectories.inputs, .alpha = alpha};
  std::vector<bool> valid(steps);
  for (std::int64_t trial = 0; trial < trajectories.trials; ++trial) {
    const auto first = static_cast<std::size_t>(trial) * steps;
    const auto v = seen_inputs(trajectories, trial, alpha, path);
    std::vector<bool> seen(steps);
    for (std::size_t t = 0; t < steps; ++t) {
      const auto step = static_cast<std::int64_t>(t);
      const bool kept = trajectories.mask.empty() || trajectories.mask[first + t] != 0;
      valid[t] = kept && usable(trajectories.latents.subspan((first + t) * rank, rank), "latents", trial, step);
      seen[t] = kept && usable(std::span(v).subspan(t * inputs, inputs), "inputs", trial, step);
    }
    for (std::size_t t = 0; t + 1 < steps; ++t) {
      if (!valid[t] || !valid[t + 1] || !seen[t]) {
        ++states.dropped;
        continue;
      }
      const double* const z = trajectories.latents.data() + (first + t) * rank;
      for (std::size_t r = 0; r < rank; ++r) {
        states.z.push_back(z[r]);
        states.y.push_back((z[rank + r] - (1.0 - alpha) * z[r]) / alpha);
      }
      for (std::size_t k = 0; k < inputs; ++k) states.v.push_back(v[t * inputs + k]);
      ++states.rows;
    }
  }
  check_visited_states(states);
  require_movement(states);
  return states;
}

}  // namespace rankflow::connectivity
