#pragma once
#include <optional>
#include <string>

#include "fit/flow_conditional.hpp"
#include "fit/flow_preparation.hpp"
#include "fit/flow_stage.hpp"
#include "fit/session.hpp"

namespace rankflow::fit {

/// The trainings of both flows, one after the other, as a session drives them.
class FlowProcedure final : public Procedure {
 public:
  /// All arguments must outlive the procedure. Collective.
  FlowProcedure(const FlowRequest& request, const parallel::Communicator& comm, Console& console);

  std::string identity() const override { return prepared_.identity(); }
  void save(io::CheckpointWriter& checkpoint) const override { state_.save(checkpoint); }
  void resume(const io::CheckpointReader& checkpoint) override { state_.resume(checkpoint); }
  void prepare() override;
  io::RunFile create_file() override;
  void begin() override;
  bool run(parallel::HaltMonitor& halt) override;
  std::string pause() const override;
  double progress() const override;
  std::string note() const override;
  void write_curves(io::RunFile& file) const override;
  void write_result(io::RunFile& file) const override;
  std::string summary() const override;

 private:
  std::int64_t epochs_done() const noexcept { return state_.loadings.now.epoch + state_.conditional.now.epoch; }
  std::int64_t epochs_asked() const noexcept;
  void judge();

  const FlowRequest& request_;
  const parallel::Communicator& comm_;
  Console& console_;
  FlowPreparation prepared_;
  flow::Flow loadings_flow_;
  FlowFitState state_;
  std::optional<FlowStageTraining> loadings_;
  std::optional<ConditionalTraining> conditional_;
  io::Attributes judgement_;
};

}  // namespace rankflow::fit
