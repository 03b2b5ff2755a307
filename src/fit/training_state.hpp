#pragma once
#include <cstdint>
#include <vector>

#include "fit/objective.hpp"
#include "io/checkpoint_store.hpp"

namespace rankflow::fit {

/// Figures by epoch: row e is after e epochs, row 0 before training; NaN where there is none (yet).
struct LearningCurves {
  explicit LearningCurves(std::int64_t epochs);
  /// As if the epochs after `epoch` had not been.
  void forget_after(std::int64_t epoch);

  std::vector<double> training;       ///< log-likelihood per observed step, mean over the epoch's minibatches
  std::vector<double> validation;     ///< the same of the held-out data, after the epoch
  std::vector<double> learning_rate;  ///< of the epoch's last step
  std::vector<double> sample_size;    ///< effective sample size as a share of K, mean over the epoch
  std::vector<double> gradient_norm;  ///< before clipping, mean over the epoch
  std::vector<double> seconds;        ///< wall time of the epoch
};

/// Parameters with the optimiser's memory of how it came there.
struct Position {
  std::vector<double> parameters;
  std::int64_t optimiser_steps = 0;
  std::vector<double> optimiser_state;
};

/// Everything of a training that changes while it goes on: what a checkpoint holds. The same on every rank.
struct TrainingState {
  TrainingState(std::vector<double> start, std::int64_t epochs);

  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t step = 0;   ///< steps done of the next one
  bool finished = false;   ///< all epochs are done, or patience is at its end
  Position now;
  Position good;                ///< at the beginning of the last epoch whose first gradient was finite
  std::int64_t good_epoch = 0;  ///< epochs done there
  std::int64_t setbacks = 0;
  double rate_factor = 1;  ///< halved at every setback
  Evaluation sum;          ///< over the steps of the epoch
  double gradient_norm = 0;
  double seconds = 0;
  std::vector<double> best;
  std::int64_t best_epoch = 0;
  double best_score;
  std::int64_t judgements_without_better = 0;
  LearningCurves curves;

  void save(io::CheckpointWriter& checkpoint) const;
  /// Throws InputDataError when the checkpoint is of another size.
  void resume(const io::CheckpointReader& checkpoint);
};

}  // namespace rankflow::fit
