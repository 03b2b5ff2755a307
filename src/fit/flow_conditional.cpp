#include "fit/flow_conditional.hpp"

#include "core/error.hpp"
#include "fit/flow_file.hpp"

namespace rankflow::fit {

ConditionalTraining::ConditionalTraining(const FlowPreparation& prepared, const flow::Flow& loadings_flow,
                                         FlowFitState& state, const parallel::Communicator& comm, Console& console)
    : prepared_(prepared),
      comm_(comm),
      state_(state),
      start_(prepared.conditional_flow),
      teacher_(prepared, loadings_flow, prepared.states(FlowSplit::training), std::nullopt, comm) {
  with_context("preparing the training of the conditional_flow", [&] {
    standardise(teacher_.teach(probe_iteration));
    ridge_ = ridge_attributes(teacher_.solution());
    if (!state.basis.empty()) teacher_.return_to(state.basis);
    teach_validation();
  });
  const auto& options = prepared.options().conditional_flow;
  training_.emplace(FlowStageParts{.name = "conditional_flow",
                                   .options = options,
                                   .start = start_,
                                   .seed = 2 * prepared.seed() + 1,
                                   .samples = options.neurons,
                                   .teach = [this](std::int64_t epoch) { return teach(epoch); },
                                   .validation = {validation_.n, validation_.loadings},
                                   .comm = comm,
                                   .console = console},
                    state.conditional);
}

/// A flow that goes on from another keeps its standardisation.
void ConditionalTraining::standardise(const TaughtNeurons& first) {
  if (!prepared_.options().conditional_flow.standardise || !prepared_.options().run.start.empty()) return;
  auto measured = flow::standardisation(first.n, prepared_.system.rank);
  start_.mean = std::move(measured.mean);
  start_.scale = std::move(measured.scale);
}

void ConditionalTraining::teach_validation() {
  const auto& states = prepared_.states(FlowSplit::validation);
  if (states.rows == 0) return;
  FlowTeacher teacher(prepared_, teacher_.loadings_flow(), states, teacher_.penalty(), comm_);
  validation_ = teacher.teach(validation_iteration);
}

flow::TrainingSamples ConditionalTraining::teach(std::int64_t epoch) {
  taught_ = teacher_.teach(epoch);
  return {taught_.n, taught_.loadings};
}

bool ConditionalTraining::run(parallel::HaltMonitor& halt, std::int64_t pause_epoch) {
  const bool going = training_->run(halt, pause_epoch);
  state_.basis = teacher_.basis();
  return going;
}

flow::Flow ConditionalTraining::flow() const {
  auto flow = start_;
  flow.parameters = training_->parameters();
  return flow;
}

}  // namespace rankflow::fit
