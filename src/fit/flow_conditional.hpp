#pragma once
#include <optional>

#include "fit/flow_stage.hpp"
#include "fit/flow_teacher.hpp"
#include "io/dataset_spec.hpp"

namespace rankflow::fit {

/// Training of the conditional flow: every epoch draws fresh neurons, solves for their n and teaches both.
class ConditionalTraining {
 public:
  /// All arguments must outlive the training; `loadings_flow` is trained. Solves for the standardisation of n, and for
  /// the penalty if that is to be estimated; does so again when resumed, with the same result. Collective.
  ConditionalTraining(const FlowPreparation& prepared, const flow::Flow& loadings_flow, FlowFitState& state,
                      const parallel::Communicator& comm, Console& console);

  /// See FlowStageTraining::run.
  bool run(parallel::HaltMonitor& halt, std::int64_t pause_epoch);
  bool is_done() const noexcept { return training_->is_done(); }
  /// What is learned so far.
  flow::Flow flow() const;
  /// The solution for the neurons that were solved first: attributes of /ridge.
  const io::Attributes& ridge() const noexcept { return ridge_; }

 private:
  void standardise(const TaughtNeurons& first);
  void teach_validation();
  flow::TrainingSamples teach(std::int64_t epoch);

  const FlowPreparation& prepared_;
  const parallel::Communicator& comm_;
  FlowFitState& state_;
  flow::Flow start_;
  FlowTeacher teacher_;
  TaughtNeurons taught_, validation_;
  io::Attributes ridge_;
  std::optional<FlowStageTraining> training_;
};

}  // namespace rankflow::fit
