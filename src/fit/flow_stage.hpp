#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/fit_flow_options.hpp"
#include "core/console.hpp"
#include "fit/flow_state.hpp"
#include "flow/training.hpp"
#include "parallel/communicator.hpp"
#include "parallel/halt_monitor.hpp"

namespace rankflow::fit {

/// Samples of an epoch: x and conditions, which must stay until the next call.
using FlowSamples = std::function<flow::TrainingSamples(std::int64_t epoch)>;

/// What trains one flow; all must outlive the stage.
struct FlowStageParts {
  std::string name;  ///< "loadings_flow", for messages
  const config::FlowPartOptions& options;
  const flow::Flow& start;
  std::uint64_t seed;
  std::int64_t samples;  ///< of an epoch
  FlowSamples teach;
  flow::TrainingSamples validation;  ///< perhaps none
  const parallel::Communicator& comm;
  Console& console;
};

/// Trains one flow epoch by epoch. Where something is not finite it goes back to an earlier epoch and on at half the
/// learning rate. Between two epochs it may be stopped and resumed bit by bit, on another number of ranks too.
class FlowStageTraining {
 public:
  FlowStageTraining(FlowStageParts parts, FlowStage& stage);

  /// Trains until done or `pause_epoch` epochs are (true), or until the monitor asks to halt (false). Collective.
  /// Throws NumericalError when setbacks do not end, and what teaching throws.
  bool run(parallel::HaltMonitor& halt, std::int64_t pause_epoch);
  bool is_done() const noexcept { return stage_.now.epoch >= parts_.options.training.epochs; }
  /// What is learned so far, put into Flow::parameters.
  std::vector<double> parameters() const { return training_->parameters(); }
  /// Brings the state up to date, to be saved.
  void settle();

 private:
  void restart();
  void make_epoch(const flow::TrainingSamples& samples);
  void judge(std::size_t epoch);
  void set_back(const NumericalError& error);

  FlowStageParts parts_;
  FlowStage& stage_;
  std::optional<flow::FlowTraining> training_;
};

}  // namespace rankflow::fit
