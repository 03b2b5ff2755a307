#include "model/inputs.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "model/input_signal.hpp"
#include "model/input_signal_samples.hpp"
#include "model/small_array.hpp"

namespace rankflow::model {
namespace {

std::string allowed_channels(int channels) {
  if (channels == 0) return "the network has no input channel";
  if (channels == 1) return "the network has one input channel, 0";
  return fmt::format("the network has input channels 0 to {}", channels - 1);
}

void check_channel(const config::InputOptions& options, std::size_t index, int channels) {
  if (options.channel < 0 || options.channel >= channels)
    throw ConfigurationError("{} = {}, but {}: choose one of them or add columns to the network's input weights",
                             input_key(index, "channel"), options.channel, allowed_channels(channels));
}

void check_columns(const InputSignal& signal, const config::InputOptions& options, std::size_t index, int channels) {
  const int last = signal.channel() + signal.columns() - 1;
  if (last >= channels)
    throw InputDataError(
        "{} has {} inputs, for channels {} to {}, but {}: remove columns, lower {} or add columns to the network's "
        "input weights",
        describe_source(options.array, input_key(index, "array")), signal.columns(), signal.channel(), last,
        allowed_channels(channels), input_key(index, "channel"));
}

}  // namespace

Inputs::Inputs(const std::vector<config::InputOptions>& options, std::int64_t trials, double step, int channels,
               std::uint64_t seed)
    : channels_(channels), step_(step) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    check_channel(options[i], i, channels);
    signals_.push_back(make_input_signal(options[i], i, trials, TimeGrid(step), seed));
    check_columns(*signals_.back(), options[i], i, channels);
  }
}

Inputs::Inputs(Inputs&&) noexcept = default;
Inputs::~Inputs() = default;

int Inputs::channels_driven(const std::vector<config::InputOptions>& options) {
  std::int64_t driven = 0;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const bool sampled = options[i].kind == config::InputKind::file;
    const std::int64_t columns =
        sampled ? SampledSignal::inputs_of(small_array_shape(options[i].array, input_key(i, "array"))) : 1;
    driven = std::max(driven, options[i].channel + columns);
  }
  return static_cast<int>(std::min<std::int64_t>(driven, std::numeric_limits<int>::max()));
}

void Inputs::at(std::int64_t trial, double t, std::span<double> u) {
  std::fill(u.begin(), u.end(), 0.0);
  for (auto& signal : signals_) signal->add(trial, t, u);
}

void Inputs::at_step(std::int64_t trial, std::int64_t k, std::span<double> u) {
  // Signals lay jumps that fall on the grid at exactly this product.
  at(trial, static_cast<double>(k) * step_, u);
}

double Inputs::next_jump(std::int64_t trial, double t) const {
  double next = std::numeric_limits<double>::infinity();
  for (const auto& signal : signals_) next = std::min(next, signal->next_jump(trial, t));
  return next;
}

}  // namespace rankflow::model
