#include "flow/training.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "flow/shard_objective.hpp"
#include "flow/single_optimiser.hpp"
#include "nn/optimiser.hpp"
#include "parallel/draws.hpp"
#include "parallel/tree_sum.hpp"

namespace rankflow::flow {
namespace {

/// A step number that no training reaches.
constexpr std::uint64_t validation_step = std::numeric_limits<std::uint64_t>::max();

/// A minibatch cut in shards.
struct Shards {
  std::int64_t batch;
  std::int64_t length = shard_length(batch);
  std::int64_t count = (batch + length - 1) / length;

  /// First place of shard `shard`, or the end.
  std::int64_t place(std::int64_t shard) const { return std::min(shard * length, batch); }
  /// Shards [bounds[r], bounds[r + 1]) are rank r's.
  void deal(int ranks, std::vector<std::int64_t>& bounds) const {
    bounds.resize(static_cast<std::size_t>(ranks) + 1);
    for (std::size_t r = 0; r < bounds.size(); ++r) bounds[r] = count * static_cast<std::int64_t>(r) / ranks;
  }
};

/// Sums over the shards of minibatches of one size.
template <class T>
struct ShardSum {
  Shards shards;
  parallel::BasicTreeSum<T> tree;

  ShardSum(std::int64_t batch, std::int64_t length) : shards{batch}, tree(shards.count, length) {}
};

void require_samples(const VelocityNetwork& network, const TrainingSamples& samples) {
  const auto variables = static_cast<std::size_t>(network.variables());
  const auto conditions = static_cast<std::size_t>(network.conditions());
  if (samples.x.size() % variables != 0 || samples.conditions.size() != samples.x.size() / variables * conditions)
    throw InternalError("{} numbers and {} of conditions are no samples of {} variables with {} conditions",
                        samples.x.size(), samples.conditions.size(), variables, conditions);
}

}  // namespace

std::int64_t shard_length(std::int64_t batch) {
  // Sixteen shards, but neither so short that adding gradients is what takes the time nor too long for the caches.
  constexpr std::int64_t shards = 16;
  constexpr std::int64_t shortest = 32;
  constexpr std::int64_t longest = 128;
  const std::int64_t rounded = (batch / shards + 15) / 16 * 16;
  return std::clamp(rounded, shortest, longest);
}

class FlowTraining::Machinery {
 public:
  Machinery(const Flow& flow, const config::FlowTrainingOptions& options, std::uint64_t seed, std::int64_t total_steps)
      : flow_(flow),
        options_(options),
        seed_(seed),
        total_steps_(total_steps),
        optimiser_(options.optimiser, options.average_memory, flow.parameters),
        weights_(flow.network, true),
        objective_(flow, Path(options), shard_length(std::numeric_limits<std::int64_t>::max() / 2), true) {
    weights_.load(optimiser_.parameters());
  }

  double step(const parallel::Communicator& comm, const TrainingSamples& samples,
              std::span<const std::int64_t> chosen) {
    require_samples(flow_.network, samples);
    if (chosen.empty()) throw InternalError("a minibatch of a flow's training is empty");
    const auto sum = add_gradients(comm, samples, chosen);
    const auto loss = static_cast<double>(sum.back());
    const auto gradient = sum.first(optimiser_.parameters().size());
    const double length = norm(gradient);
    if (!std::isfinite(loss) || !std::isfinite(length)) throw_not_finite(loss, gradient);
    optimiser_.begin_step(length, nn::scheduled_learning_rate(options_.optimiser, optimiser_.steps(), total_steps_));
    // Strip by strip, so that what was updated is packed while it is in the nearest cache.
    weights_.load(optimiser_.parameters(),
                  [&](std::int64_t begin, std::int64_t end) { optimiser_.update(gradient, begin, end); });
    return loss;
  }

  double epoch(const parallel::Communicator& comm, const TrainingSamples& samples, std::int64_t number) {
    require_samples(flow_.network, samples);
    shuffle(std::ssize(samples.x) / flow_.network.variables(), number);
    const std::int64_t count = std::ssize(order_);
    double sum = 0;
    for (std::int64_t first = 0; first < count; first += options_.batch) {
      const auto batch = std::span<const std::int64_t>(order_).subspan(
          static_cast<std::size_t>(first), static_cast<std::size_t>(std::min(options_.batch, count - first)));
      sum += static_cast<double>(batch.size()) * step(comm, samples, batch);
    }
    return sum / static_cast<double>(count);
  }

  double loss(const parallel::Communicator& comm, const TrainingSamples& samples) const {
    require_samples(flow_.network, samples);
    const std::int64_t count = std::ssize(samples.x) / flow_.network.variables();
    std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    PackedWeights<float> weights(flow_.network, false);
    weights.load(optimiser_.average());
    ShardSum<double> all(count, 1);
    ShardObjective<float> objective(flow_, Path(options_), all.shards.length, false);
    std::vector<std::int64_t> bounds;
    all.shards.deal(comm.size(), bounds);
    const auto mine = static_cast<std::size_t>(comm.rank());
    objective.draw(seed_, validation_step, all.shards.place(bounds[mine]), all.shards.place(bounds[mine + 1]));
    all.tree.start(bounds[mine], bounds[mine + 1]);
    for (auto shard = bounds[mine]; shard < bounds[mine + 1]; ++shard) {
      const std::int64_t first = all.shards.place(shard);
      all.tree.next_leaf()[0] =
          objective.evaluate(weights, samples, rows, first, all.shards.place(shard + 1) - first, weight_of(count), {});
      all.tree.add_written();
    }
    double result = 0;
    all.tree.finish(comm, bounds, {&result, 1});
    return result;
  }

  SingleOptimiser& optimiser() noexcept { return optimiser_; }
  void reload() { weights_.load(optimiser_.parameters()); }

 private:
  /// Of a sample in the mean over samples and variables.
  double weight_of(std::int64_t batch) const {
    return 1 / (static_cast<double>(batch) * static_cast<double>(flow_.network.variables()));
  }

  /// Gradient and loss, over all ranks' shards.
  std::span<const float> add_gradients(const parallel::Communicator& comm, const TrainingSamples& samples,
                                       std::span<const std::int64_t> chosen) {
    auto& all = sum_of(std::ssize(chosen));
    all.shards.deal(comm.size(), bounds_);
    const auto mine = static_cast<std::size_t>(comm.rank());
    const std::int64_t first_shard = bounds_[mine];
    const std::int64_t end_shard = bounds_[mine + 1];
    objective_.draw(seed_, static_cast<std::uint64_t>(optimiser_.steps()), all.shards.place(first_shard),
                    all.shards.place(end_shard));
    all.tree.start(first_shard, end_shard);
    for (auto shard = first_shard; shard < end_shard; ++shard) {
      const std::int64_t first = all.shards.place(shard);
      const auto leaf = all.tree.next_leaf();
      leaf.back() =
          static_cast<float>(objective_.evaluate(weights_, samples, chosen, first, all.shards.place(shard + 1) - first,
                                                 weight_of(all.shards.batch), leaf.first(leaf.size() - 1)));
      all.tree.add_written();
    }
    return all.tree.finish(comm, bounds_);
  }

  ShardSum<float>& sum_of(std::int64_t batch) {
    const auto found = std::ranges::find_if(sums_, [&](const auto& sum) { return sum->shards.batch == batch; });
    if (found != sums_.end()) return **found;
    return *sums_.emplace_back(std::make_unique<ShardSum<float>>(batch, std::ssize(optimiser_.parameters()) + 1));
  }

  [[noreturn]] void throw_not_finite(double loss, std::span<const float> gradient) const {
    const auto found = std::ranges::find_if_not(gradient, [](float value) { return std::isfinite(value); });
    const std::string where =
        found == gradient.end()
            ? std::string("their norm overflows")
            : fmt::format("that of {} is {}", flow_.network.layout().describe(found - gradient.begin()), *found);
    throw NumericalError(
        "step {} of a flow's training: the loss is {}, and of its derivatives {}; lower the learning rate, or set "
        "clip_norm",
        optimiser_.steps() + 1, loss, where);
  }

  /// Fisher and Yates, of its own for every epoch.
  void shuffle(std::int64_t count, std::int64_t number) {
    order_.resize(static_cast<std::size_t>(count));
    keys_.resize(static_cast<std::size_t>(count));
    parallel::uniform<double>(
        parallel::Stream(seed_, parallel::Purpose::batch_choice, static_cast<std::uint64_t>(number)), {}, 0, keys_);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const auto place = std::min(i, static_cast<std::size_t>(keys_[i] * static_cast<double>(i + 1)));
      order_[i] = order_[place];
      order_[place] = static_cast<std::int64_t>(i);
    }
  }

  Flow flow_;
  config::FlowTrainingOptions options_;
  std::uint64_t seed_;
  std::int64_t total_steps_;
  SingleOptimiser optimiser_;
  PackedWeights<float> weights_;
  ShardObjective<float> objective_;
  std::vector<std::unique_ptr<ShardSum<float>>> sums_;  ///< of gradient, then loss
  std::vector<std::int64_t> bounds_, order_;
  std::vector<double> keys_;
};

FlowTraining::FlowTraining(const Flow& flow, const config::FlowTrainingOptions& options, std::uint64_t seed,
                           std::int64_t total_steps) {
  require_valid(flow);
  machinery_ = std::make_unique<Machinery>(flow, options, seed, total_steps);
}
FlowTraining::FlowTraining(FlowTraining&&) noexcept = default;
FlowTraining& FlowTraining::operator=(FlowTraining&&) noexcept = default;
FlowTraining::~FlowTraining() = default;

double FlowTraining::step(const parallel::Communicator& comm, const TrainingSamples& samples,
                          std::span<const std::int64_t> chosen) {
  return machinery_->step(comm, samples, chosen);
}

double FlowTraining::epoch(const parallel::Communicator& comm, const TrainingSamples& samples, std::int64_t epoch) {
  return with_context(fmt::format("training a flow, epoch {}", epoch),
                      [&] { return machinery_->epoch(comm, samples, epoch); });
}

double FlowTraining::loss(const parallel::Communicator& comm, const TrainingSamples& samples) const {
  return machinery_->loss(comm, samples);
}

std::int64_t FlowTraining::steps() const noexcept {
  return machinery_->optimiser().steps();
}

std::vector<double> FlowTraining::last_parameters() const {
  const auto values = machinery_->optimiser().parameters();
  return {values.begin(), values.end()};
}

std::vector<double> FlowTraining::parameters() const {
  const auto values = machinery_->optimiser().average();
  return {values.begin(), values.end()};
}

std::vector<double> FlowTraining::state() const {
  std::vector<double> state(machinery_->optimiser().state_size());
  machinery_->optimiser().save(state);
  return state;
}

void FlowTraining::restore(std::int64_t steps, std::span<const double> state) {
  machinery_->optimiser().restore(steps, state);
  machinery_->reload();
}

}  // namespace rankflow::flow
