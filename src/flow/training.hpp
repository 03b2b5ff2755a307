#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config/flow_options.hpp"
#include "flow/flow.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::flow {

/// What a flow is taught: count rows of x [count, V] and of conditions [count, C], not standardised, row-major.
struct TrainingSamples {
  std::span<const double> x;
  std::span<const double> conditions;
};

/// Samples of a minibatch that one gradient is formed of, as a function of the minibatch's size alone: ranks take whole
/// shards, and shards are added in a fixed tree.
std::int64_t shard_length(std::int64_t batch);

/// Flow matching (Lipman et al. 2023): gradient steps on the mean squared error between the network and the velocity of
/// paths from noise x0 to samples x1. Data-parallel: bits do not depend on the number of ranks. Noise and times are
/// functions of (seed, step, place in the minibatch). Computed in single precision; a step allocates nothing after the
/// first of its size.
class FlowTraining {
 public:
  /// Begins with flow.parameters. `total_steps` is what the learning rate's schedule is spread over.
  FlowTraining(const Flow& flow, const config::FlowTrainingOptions& options, std::uint64_t seed,
               std::int64_t total_steps);
  FlowTraining(FlowTraining&&) noexcept;
  FlowTraining& operator=(FlowTraining&&) noexcept;
  ~FlowTraining();

  /// One step on the minibatch of rows `chosen`, which all ranks give alike; a rank reads the rows of its own shards
  /// only. Returns the loss, per variable, the same on all ranks. Collective. Throws NumericalError naming step and
  /// parameter when loss or gradient are not finite; the parameters stay as they were.
  double step(const parallel::Communicator& comm, const TrainingSamples& samples, std::span<const std::int64_t> chosen);
  /// Steps on all samples once, in an order drawn for epoch number `epoch`, in minibatches of options.batch (the last
  /// may be smaller). Returns the mean loss over samples. Collective.
  double epoch(const parallel::Communicator& comm, const TrainingSamples& samples, std::int64_t epoch);
  /// Loss on the given rows without a step, with noise and times of their own that do not depend on the step: for
  /// validation. Of the averaged weights if options.average_memory > 0. Collective.
  double loss(const parallel::Communicator& comm, const TrainingSamples& samples) const;

  /// Steps made.
  std::int64_t steps() const noexcept;
  /// The last parameters, and their moving average (the last parameters too if options.average_memory is 0): what to
  /// put into Flow::parameters.
  std::vector<double> last_parameters() const;
  std::vector<double> parameters() const;
  /// All there is to store beside steps(): exact in double precision.
  std::vector<double> state() const;
  /// Goes on from what was stored, bit by bit. Throws InternalError for another length.
  void restore(std::int64_t steps, std::span<const double> state);

 private:
  class Machinery;
  std::unique_ptr<Machinery> machinery_;
};

}  // namespace rankflow::flow
