#include "model/input_signal_random.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/draws.hpp"

namespace rankflow::model {
namespace {

/// Bounds the memory of values; more trials than this only lose speed.
constexpr std::int64_t maximum_slots = 4096;

}  // namespace

RandomSignal::RandomSignal(const config::InputOptions& options, std::size_t index, std::int64_t trials,
                           const TimeGrid& grid, std::uint64_t seed)
    : InputSignal(options, grid),
      stream_(seed, parallel::Purpose::input_noise),
      first_item_(static_cast<std::uint64_t>(index) * block_steps),
      std_(options.std),
      decay_(std::exp(-grid.step() / options.correlation_time)),
      // expm1: 1 - a^2 without cancellation for long correlation times.
      kick_(options.std * std::sqrt(-std::expm1(-2.0 * grid.step() / options.correlation_time))),
      progress_(static_cast<std::size_t>(trials)),
      slots_(static_cast<std::size_t>(std::min(trials, maximum_slots))) {}

void RandomSignal::add_inside(std::int64_t trial, double t, std::span<double> driven) {
  driven[0] += amplitude(trial) + deviation(trial, grid().cell(t));
}

double RandomSignal::next_jump_inside(std::int64_t /*trial*/, double t) const {
  return grid().time(grid().cell(t) + 1);
}

double RandomSignal::deviation(std::int64_t trial, std::int64_t k) {
  auto& slot = slots_[static_cast<std::size_t>(trial) % slots_.size()];
  const std::int64_t block = k / block_steps;
  if (slot.trial != trial || slot.block != block) {
    enter(trial, block, slot.values);
    slot.trial = trial;
    slot.block = block;
  }
  return slot.values[static_cast<std::size_t>(k % block_steps)];
}

void RandomSignal::enter(std::int64_t trial, std::int64_t block, Values& values) {
  auto& progress = progress_[static_cast<std::size_t>(trial)];
  if (block == progress.block - 1) return advance(trial, block, progress.earlier, values);
  if (block < progress.block) progress = {};
  while (progress.block < block) {
    advance(trial, progress.block, progress.before, values);
    progress = {progress.block + 1, values.back(), progress.before};
  }
  advance(trial, block, progress.before, values);
}

void RandomSignal::advance(std::int64_t trial, std::int64_t block, double before, Values& values) const {
  const parallel::Draw draw{.trial = static_cast<std::uint32_t>(trial), .step = static_cast<std::uint32_t>(block)};
  parallel::normal<double>(stream_, draw, first_item_, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool first = block == 0 && i == 0;
    values[i] = first ? std_ * values[i] : decay_ * before + kick_ * values[i];
    before = values[i];
  }
}

}  // namespace rankflow::model
