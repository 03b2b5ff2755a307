#include "fit/flow_stage.hpp"

#include <algorithm>
#include <span>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

/// Setbacks after which a training is given up: the learning rate then is below a thousandth.
constexpr std::int64_t largest_flow_setbacks = 10;
/// Epochs between two positions to go back to: twice as many are lost at most.
constexpr std::int64_t epochs_between_positions = 8;

std::int64_t flow_steps(const FlowStageParts& parts) {
  const auto batch = std::min(parts.options.training.batch, parts.samples);
  return parts.options.training.epochs * ((parts.samples + batch - 1) / batch);
}

}  // namespace

FlowStageTraining::FlowStageTraining(FlowStageParts parts, FlowStage& stage) : parts_(std::move(parts)), stage_(stage) {
  restart();
  settle();
  if (stage_.good.state.empty()) stage_.good = stage_.recent = stage_.now;
}

/// A training at stage_.now.
void FlowStageTraining::restart() {
  auto options = parts_.options.training;
  options.optimiser.learning_rate *= stage_.rate_factor;
  options.optimiser.final_learning_rate *= stage_.rate_factor;
  training_.emplace(parts_.start, options, parts_.seed, flow_steps(parts_));
  if (!stage_.now.state.empty()) training_->restore(stage_.now.steps, stage_.now.state);
}

/// Brings the stage up to date; the clock's readings become those of rank 0, as the rest is equal anyway.
void FlowStageTraining::settle() {
  parts_.comm.broadcast(std::span(stage_.seconds));
  stage_.now.steps = training_->steps();
  stage_.now.state = training_->state();
}

bool FlowStageTraining::run(parallel::HaltMonitor& halt, std::int64_t pause_epoch) {
  const auto last = std::min(parts_.options.training.epochs, pause_epoch);
  bool go_on = true;
  while (go_on && stage_.now.epoch < last) {
    const auto start = std::chrono::steady_clock::now();
    // What cannot be taught is no setback: a smaller learning rate would not help.
    const auto samples = with_context(fmt::format("teaching the {}, epoch {}", parts_.name, stage_.now.epoch + 1),
                                      [&] { return parts_.teach(stage_.now.epoch); });
    try {
      make_epoch(samples);
      stage_.seconds[static_cast<std::size_t>(stage_.now.epoch - 1)] =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      go_on = halt.poll() == parallel::Halt::none;
    } catch (const NumericalError& error) {
      set_back(error);
    }
  }
  settle();
  return go_on;
}

void FlowStageTraining::make_epoch(const flow::TrainingSamples& samples) {
  const auto epoch = stage_.now.epoch;
  const auto row = static_cast<std::size_t>(epoch);
  with_context(fmt::format("training the {}, epoch {}", parts_.name, epoch + 1),
               [&] { stage_.loss[row] = training_->epoch(parts_.comm, samples, epoch); });
  stage_.now.epoch = epoch + 1;
  judge(row);
  if (stage_.now.epoch % epochs_between_positions != 0) return;
  settle();
  stage_.good = std::move(stage_.recent);
  stage_.recent = stage_.now;
}

void FlowStageTraining::judge(std::size_t epoch) {
  const bool last = stage_.now.epoch == parts_.options.training.epochs;
  if (parts_.validation.x.empty() || (stage_.now.epoch % parts_.options.validation_every != 0 && !last)) return;
  stage_.validation[epoch] = training_->loss(parts_.comm, parts_.validation);
}

void FlowStageTraining::set_back(const NumericalError& error) {
  if (++stage_.setbacks > largest_flow_setbacks)
    throw NumericalError("the training of the {} was given up after {} setbacks: {}", parts_.name,
                         largest_flow_setbacks, error.what());
  stage_.rate_factor /= 2;
  stage_.now = stage_.recent = stage_.good;
  parts_.console.warn("{}: {}; going back to epoch {} and on at {:.3g} of the learning rate", parts_.name, error.what(),
                      stage_.now.epoch, stage_.rate_factor);
  restart();
}

}  // namespace rankflow::fit
