#include "flow/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "flow/adaptive_step.hpp"
#include "flow/fixed_step.hpp"
#include "flow/velocity_pass.hpp"
#include "parallel/draws.hpp"

namespace rankflow::flow {
namespace {

/// Rows that go through the network together: enough to read its weights seldom, few enough for the caches.
constexpr std::int64_t sampling_block = 64;

void require_rows(const VelocityNetwork& network, std::int64_t count, std::span<const double> conditions) {
  if (std::cmp_not_equal(conditions.size(), count * network.conditions()))
    throw InternalError("{} samples of a flow with {} conditions were given {} numbers of them", count,
                        network.conditions(), conditions.size());
}

/// The flow as a map from noise to samples, block by block.
template <class T>
class BlockTransport {
 public:
  BlockTransport(const Flow& flow, std::int64_t block)
      : flow_(flow),
        variables_(flow.network.variables()),
        weights_(flow.network, false),
        pass_(flow.network, block, false),
        state_(static_cast<std::size_t>(block * variables_)) {
    const std::vector<T> parameters(flow.parameters.begin(), flow.parameters.end());
    weights_.load(parameters);
  }

  /// Where the noise of the block's rows [rows, V] is to be written.
  std::span<T> state() noexcept { return state_; }

  void set_conditions(std::int64_t rows, std::span<const double> conditions) {
    const auto count = static_cast<std::size_t>(flow_.network.conditions());
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::size_t c = 0; c < count; ++c) {
        const double value = conditions[static_cast<std::size_t>(row) * count + c];
        pass_.input(row)[static_cast<std::size_t>(variables_) + c] =
            static_cast<T>((value - flow_.condition_mean[c]) / flow_.condition_scale[c]);
      }
  }

  /// Velocities [rows, V] at y [rows, V].
  void velocity(std::int64_t rows, double t, std::span<const T> y, std::span<T> slope) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(y.begin() + row * variables_, variables_, pass_.input(row));
      pass_.set_time(row, t);
    }
    pass_.forward(weights_, rows);
    for (std::int64_t row = 0; row < rows; ++row)
      std::copy_n(pass_.output(row), variables_, slope.begin() + row * variables_);
  }

  /// The state, in the units of samples. `first`: number of the block's first row, for messages.
  void unstandardise(std::int64_t rows, std::int64_t first, std::span<double> out) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows * variables_); ++i) {
      const std::size_t v = i % static_cast<std::size_t>(variables_);
      out[i] = flow_.mean[v] + flow_.scale[v] * static_cast<double>(state_[i]);
      if (!std::isfinite(out[i]))
        throw NumericalError(
            "variable {} of row {} of a flow's samples is {}; take more steps, or train the flow longer", v,
            first + static_cast<std::int64_t>(i) / variables_, out[i]);
    }
  }

 private:
  const Flow& flow_;
  std::int64_t variables_;
  PackedWeights<T> weights_;
  VelocityPass<T> pass_;
  std::vector<T> state_;
};

/// noise(first, rows, state) writes the noise of rows [first, first + rows) of the call.
template <class T, class Noise, class Integrate>
std::vector<double> transport_blocks(const Flow& flow, std::int64_t count, std::span<const double> conditions,
                                     std::int64_t block, BlockTransport<T>& map, const Noise& noise,
                                     const Integrate& integrate) {
  const auto variables = flow.network.variables();
  const auto columns = static_cast<std::size_t>(flow.network.conditions());
  std::vector<double> out(static_cast<std::size_t>(count * variables));
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t rows = std::min(block, count - first);
    const auto values = static_cast<std::size_t>(rows * variables);
    noise(first, rows, map.state().first(values));
    map.set_conditions(
        rows, conditions.subspan(static_cast<std::size_t>(first) * columns, static_cast<std::size_t>(rows) * columns));
    integrate(rows);
    map.unstandardise(rows, first, std::span(out).subspan(static_cast<std::size_t>(first * variables), values));
  }
  return out;
}

template <class Noise>
std::vector<double> transport_adaptively(const Flow& flow, double tolerance, std::int64_t count,
                                         std::span<const double> conditions, const Noise& noise) {
  BlockTransport<double> map(flow, 1);
  AdaptiveStep step(
      flow.network.variables(), tolerance,
      [&](double t, std::span<const double> y, std::span<double> slope) { map.velocity(1, t, y, slope); });
  return transport_blocks<double>(flow, count, conditions, 1, map, noise,
                                  [&](std::int64_t) { step.run(map.state(), 0.0, 1.0); });
}

template <class Noise>
std::vector<double> transport_in_steps(const Flow& flow, const config::FlowSamplerOptions& options, std::int64_t count,
                                       std::span<const double> conditions, const Noise& noise) {
  const auto variables = flow.network.variables();
  const std::int64_t block = std::clamp<std::int64_t>(count, 1, sampling_block);
  BlockTransport<float> map(flow, block);
  FixedStep<float> steps(options, block * variables);
  return transport_blocks<float>(flow, count, conditions, block, map, noise, [&](std::int64_t rows) {
    steps.run(map.state(), 0.0, 1.0,
              [&](double t, std::span<const float> y, std::span<float> slope) { map.velocity(rows, t, y, slope); });
  });
}

template <class Noise>
std::vector<double> transported(const Flow& flow, const config::FlowSamplerOptions& options, std::int64_t count,
                                std::span<const double> conditions, const Noise& noise) {
  require_valid(flow);
  require_rows(flow.network, count, conditions);
  if (options.method == config::FlowIntegrator::adaptive)
    return transport_adaptively(flow, options.tolerance, count, conditions, noise);
  return transport_in_steps(flow, options, count, conditions, noise);
}

}  // namespace

std::vector<double> sample(const Flow& flow, const config::FlowSamplerOptions& options, const parallel::Stream& stream,
                           std::int64_t first, std::int64_t count, std::span<const double> conditions) {
  const auto variables = static_cast<std::size_t>(flow.network.variables());
  std::vector<float> column(sampling_block);
  return transported(flow, options, count, conditions, [&](std::int64_t begin, std::int64_t rows, auto state) {
    const auto places = std::span(column).first(static_cast<std::size_t>(rows));
    for (std::size_t v = 0; v < variables; ++v) {
      parallel::normal<float>(stream, {.index = static_cast<std::uint32_t>(v)},
                              static_cast<std::uint64_t>(first + begin), places);
      for (std::size_t row = 0; row < places.size(); ++row) state[row * variables + v] = places[row];
    }
  });
}

std::vector<double> transport(const Flow& flow, const config::FlowSamplerOptions& options, std::span<const double> x0,
                              std::span<const double> conditions) {
  const auto variables = flow.network.variables();
  if (std::ssize(x0) % variables != 0)
    throw InternalError("{} numbers of noise for a flow of {} variables", x0.size(), variables);
  return transported(
      flow, options, std::ssize(x0) / variables, conditions, [&](std::int64_t first, std::int64_t, auto state) {
        using Number = typename decltype(state)::value_type;
        const auto source = x0.subspan(static_cast<std::size_t>(first * variables), state.size());
        std::ranges::transform(source, state.begin(), [](double value) { return static_cast<Number>(value); });
      });
}

}  // namespace rankflow::flow
