#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/console.hpp"
#include "fit/batches.hpp"
#include "fit/full_batch.hpp"
#include "fit/objective.hpp"
#include "fit/training_state.hpp"
#include "nn/optimiser.hpp"
#include "parallel/halt_monitor.hpp"

namespace rankflow::fit {

/// What a training works on; all must outlive it.
struct TrainingParts {
  const config::FitVsmcOptions& options;
  const DataSet& data;
  const Split& split;
  const FitModel& model;
  const parallel::Communicator& comm;
  Console& console;
};

/// Time steps of a window: as configured, or those of the longest trial.
std::int64_t window_of(const config::FitVsmcOptions& options, const DataSet& data);

/// Maximises the filter's log-likelihood per step by stochastic gradients over minibatches (variational SMC; Pals et
/// al. 2024, section 3.2). Where something is not finite it goes back to the beginning of the epoch (of the epoch
/// before where the epoch's own beginning is the trouble) and on at half the learning rate. Between two steps it may be
/// stopped and resumed bit by bit, on another number of ranks too. T: precision of the particles.
template <class T>
class Training {
 public:
  /// Throws ConfigurationError for too few trials and for what filter and encoder refuse.
  Training(const TrainingParts& parts, TrainingState& state);

  /// Judges the start, unless it was resumed. Throws NumericalError when the start is unusable.
  void begin();
  /// Trains until done (true), or until the monitor asks to halt or the epoch to pause after is over (false).
  /// Collective. Throws NumericalError when setbacks do not end.
  bool run(parallel::HaltMonitor& halt);
  /// The epochs of training.pause_after are done.
  bool is_paused() const;
  /// Share of the steps done.
  double progress() const;
  /// "epoch 3/100, log-likelihood per step -3.2 (held out -3.4), learning rate 0.001, effective sample size 45 %".
  std::string note() const;
  std::int64_t steps_per_epoch() const noexcept { return steps_per_epoch_; }
  const smc::ParticleLayout& layout() const noexcept { return objective_.layout(); }

 private:
  void settle();
  void make_step();
  void make_stochastic_step();
  void make_full_step();
  void remember_position();
  bool is_quasi_newton() const { return parts_.options.training.method == config::FitMethod::quasi_newton; }
  void set_back(const Error& error);
  void forget_best_after(std::int64_t epoch);
  void end_epoch();
  void try_last_step();
  void judge();
  Evaluation validate();
  Position position() const;
  void go_to(const Position& position);
  double learning_rate() const;

  TrainingParts parts_;
  TrainingState& state_;
  std::int64_t window_;
  Objective<T> objective_;
  BatchPlan plan_;
  FullBatch<T> full_;
  std::int64_t steps_per_epoch_;
  std::vector<Stretch> held_out_;
  Batch batch_;
  nn::Optimiser optimiser_;
  std::vector<double> descent_;
  std::chrono::steady_clock::time_point last_look_ = std::chrono::steady_clock::now();
};

}  // namespace rankflow::fit
