#include "flow/log_density.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/error.hpp"
#include "flow/adaptive_step.hpp"
#include "flow/divergence.hpp"
#include "flow/fixed_step.hpp"
#include "flow/sampling.hpp"
#include "parallel/partition.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::flow {
namespace {

/// Rows that are integrated together in fixed steps.
constexpr std::int64_t density_block = 32;

struct DensityRows {
  std::int64_t count;
  std::int64_t variables;
  std::int64_t conditions;

  /// Throws unless the numbers make as many rows of x as of conditions.
  DensityRows(const VelocityNetwork& network, std::span<const double> x, std::span<const double> conditions_of_x)
      : count(std::ssize(x) / network.variables()), variables(network.variables()), conditions(network.conditions()) {
    if (std::ssize(x) != count * variables || std::ssize(conditions_of_x) != count * conditions)
      throw InternalError("{} numbers and {} of conditions are no rows of a flow of {} variables and {} conditions",
                          x.size(), conditions_of_x.size(), variables, conditions);
  }
  std::span<const double> x_rows(std::span<const double> x, std::int64_t first, std::int64_t rows) const {
    return x.subspan(static_cast<std::size_t>(first * variables), static_cast<std::size_t>(rows * variables));
  }
  std::span<const double> condition_rows(std::span<const double> all, std::int64_t first, std::int64_t rows) const {
    return all.subspan(static_cast<std::size_t>(first * conditions), static_cast<std::size_t>(rows * conditions));
  }
};

/// log of the standard normal density of the noise, minus the change of volume, minus that of standardisation.
double density_of(const Flow& flow, std::span<const double> noise, double volume) {
  double result = -volume;
  for (std::size_t v = 0; v < noise.size(); ++v)
    result -= 0.5 * noise[v] * noise[v] + 0.5 * std::log(2 * std::numbers::pi) + std::log(flow.scale[v]);
  return result;
}

/// Integrates blocks of rows from samples back to noise. The state: x [rows, V], then the volume [rows].
class BackwardBlocks {
 public:
  BackwardBlocks(const Flow& flow, const LogDensityOptions& options, std::int64_t block)
      : flow_(flow),
        seed_(options.seed),
        block_(block),
        variables_(flow.network.variables()),
        divergence_(flow, block, variables_ <= options.exact_variables ? 0 : options.probes),
        state_(static_cast<std::size_t>(block * (variables_ + 1))) {}

  void start(std::span<const double> x, std::span<const double> conditions, std::int64_t first_item) {
    divergence_.set_conditions(conditions);
    divergence_.draw_probes(seed_, first_item);
    std::ranges::fill(state_, 0.0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t v = i % static_cast<std::size_t>(variables_);
      state_[i] = (x[i] - flow_.mean[v]) / flow_.scale[v];
    }
  }

  std::span<double> state() noexcept { return state_; }
  /// In s = 1 - t.
  void derivative(double s, std::span<const double> y, std::span<double> slope) {
    const auto positions = static_cast<std::size_t>(block_ * variables_);
    divergence_.evaluate(1 - s, y.first(positions), slope.first(positions), slope.subspan(positions));
    for (auto& value : slope.first(positions)) value = -value;
  }
  double result(std::int64_t row) const {
    const auto width = static_cast<std::size_t>(variables_);
    const auto r = static_cast<std::size_t>(row);
    return density_of(flow_, std::span(state_).subspan(r * width, width),
                      state_[static_cast<std::size_t>(block_) * width + r]);
  }

 private:
  const Flow& flow_;
  std::uint64_t seed_;
  std::int64_t block_, variables_;
  Divergence divergence_;
  std::vector<double> state_;
};

}  // namespace

std::vector<double> log_density(const Flow& flow, const LogDensityOptions& options, std::span<const double> x,
                                std::span<const double> conditions, std::int64_t first_item) {
  require_valid(flow);
  const DensityRows all(flow.network, x, conditions);
  const bool adaptive = options.integrator.method == config::FlowIntegrator::adaptive;
  const std::int64_t block = adaptive ? 1 : std::clamp<std::int64_t>(all.count, 1, density_block);
  BackwardBlocks blocks(flow, options, block);
  const auto derivative = [&](double s, std::span<const double> y, std::span<double> slope) {
    blocks.derivative(s, y, slope);
  };
  std::vector<double> result(static_cast<std::size_t>(all.count));
  const auto integrate = [&](auto& steps) {
    for (std::int64_t first = 0; first < all.count; first += block) {
      const std::int64_t rows = std::min(block, all.count - first);
      blocks.start(all.x_rows(x, first, rows), all.condition_rows(conditions, first, rows), first_item + first);
      steps(blocks.state());
      for (std::int64_t row = 0; row < rows; ++row) {
        const double value = blocks.result(row);
        if (!std::isfinite(value))
          throw NumericalError("the log-density of row {} under a flow is {}; take more steps, or train it longer",
                               first + row, value);
        result[static_cast<std::size_t>(first + row)] = value;
      }
    }
  };
  if (adaptive) {
    AdaptiveStep step(all.variables + 1, options.integrator.tolerance, derivative);
    const auto run = [&](std::span<double> y) { step.run(y, 0.0, 1.0); };
    integrate(run);
  } else {
    FixedStep<double> steps(options.integrator, block * (all.variables + 1));
    const auto run = [&](std::span<double> y) { steps.run(y, 0.0, 1.0, derivative); };
    integrate(run);
  }
  return result;
}

std::vector<double> divergence(const Flow& flow, std::span<const double> x, std::span<const double> conditions,
                               double t) {
  require_valid(flow);
  const DensityRows all(flow.network, x, conditions);
  Divergence exact(flow, density_block, 0);
  std::vector<double> velocities(static_cast<std::size_t>(density_block * all.variables));
  std::vector<double> result(static_cast<std::size_t>(all.count));
  for (std::int64_t first = 0; first < all.count; first += density_block) {
    const std::int64_t rows = std::min(density_block, all.count - first);
    exact.set_conditions(all.condition_rows(conditions, first, rows));
    exact.evaluate(t, all.x_rows(x, first, rows), velocities,
                   std::span(result).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)));
  }
  return result;
}

EntropyEstimate entropy(const parallel::Communicator& comm, const Flow& flow, const LogDensityOptions& options,
                        const config::FlowSamplerOptions& sampler, const parallel::Stream& stream, std::int64_t count,
                        std::span<const double> conditions) {
  if (count < 2) throw InternalError("an entropy from {} samples", count);
  const parallel::Partition mine(count, comm.size(), comm.rank());
  const auto columns = static_cast<std::size_t>(flow.network.conditions());
  if (conditions.size() != static_cast<std::size_t>(count) * columns)
    throw InternalError("{} numbers of conditions for {} samples of {}", conditions.size(), count, columns);
  const auto own = conditions.subspan(static_cast<std::size_t>(mine.begin()) * columns,
                                      static_cast<std::size_t>(mine.count()) * columns);
  const auto x = sample(flow, sampler, stream, mine.begin(), mine.count(), own);
  const auto densities = log_density(flow, options, x, own, mine.begin());
  parallel::ReproducibleSum total(1);
  for (const double value : densities) total.add(0, -value);
  double sum = 0;
  total.reduce(comm, {&sum, 1});
  const double mean = sum / static_cast<double>(count);
  for (const double value : densities) total.add(0, (value + mean) * (value + mean));
  double squares = 0;
  total.reduce(comm, {&squares, 1});
  const auto samples = static_cast<double>(count);
  return {mean, std::sqrt(squares / (samples - 1) / samples)};
}

}  // namespace rankflow::flow
