#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fit/flow_teacher.hpp"
#include "io/checkpoint_store.hpp"

namespace rankflow::fit {

/// A training where it stands: FlowTraining's state after so many epochs.
struct FlowPosition {
  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t steps = 0;
  std::vector<double> state;
};

/// Training of one of the two flows. Curves have a value for every epoch, NaN where there is none (yet).
struct FlowStage {
  explicit FlowStage(std::int64_t epochs);

  FlowPosition now;
  FlowPosition recent;  ///< at the last epoch that is kept to go back to
  FlowPosition good;    ///< at the one before, whose successors were finite
  std::int64_t setbacks = 0;
  double rate_factor = 1;          ///< halved at every setback
  std::vector<double> loss;        ///< per variable, mean over the epoch's samples
  std::vector<double> validation;  ///< the same of what is held out, after the epoch
  std::vector<double> seconds;     ///< wall time of the epoch
};

/// Everything of the learning of a connectivity distribution that changes while it goes on; the same on every rank.
struct FlowFitState {
  FlowFitState(std::int64_t loadings_epochs, std::int64_t conditional_epochs);

  FlowStage loadings, conditional;
  BasisOrigin basis;  ///< see FlowTeacher

  void save(io::CheckpointWriter& checkpoint) const;
  /// Throws InputDataError when the checkpoint is of another size.
  void resume(const io::CheckpointReader& checkpoint);
};

}  // namespace rankflow::fit
