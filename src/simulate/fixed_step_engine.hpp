#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/simulate_options.hpp"
#include "model/inputs.hpp"
#include "parallel/communicator.hpp"
#include "simulate/engine.hpp"

namespace rankflow::simulate {

/// What the fixed-step engines share: all trials advance together, step by step; rows are saved at steps; a stop is
/// possible after every step. Subclasses hold the state and advance it.
class FixedStepEngine : public Engine, public StateView {
 public:
  struct Setup {
    double step = 0.0;              ///< s
    std::vector<double> row_times;  ///< s, multiples of step
    std::int64_t steps = 0;         ///< of a whole trial
    std::int64_t trials = 1;
    int rank = 0;
    std::optional<config::StopOptions> stop;
    bool raw_inputs = false;  ///< v(t) = u(t) instead of filtering; latent space only
  };

  bool run(RowSink& sink, parallel::HaltMonitor& halt) override;
  void save(io::CheckpointWriter& checkpoint) const override;
  void resume(const io::CheckpointReader& checkpoint) override;
  double progress() const override;
  std::vector<Counter> counters() const override;
  std::vector<double> stop_times() const override { return stop_times_; }
  const StateView& final_state() const override { return *this; }

  int first_trial() const override { return 0; }
  int trials() const override { return static_cast<int>(setup_.trials); }
  bool alive(int trial) const override { return running(trial); }

 protected:
  /// Throws ConfigurationError when a row time is no multiple of the step.
  explicit FixedStepEngine(Setup setup);

  /// Advances every running trial from step_() to step_() + 1.
  virtual void advance() = 0;
  virtual void save_state(io::CheckpointWriter& checkpoint) const = 0;
  virtual void resume_state(const io::CheckpointReader& checkpoint) = 0;

  std::int64_t step() const noexcept { return step_; }
  double time() const noexcept { return static_cast<double>(step_) * setup_.step; }
  const Setup& setup() const noexcept { return setup_; }
  bool running(std::int64_t trial) const;
  /// Throws NumericalError naming quantity, trial and time of the first value that is not finite. `values`: [trials,
  /// R].
  void require_finite(std::span<const double> values, const char* quantity) const;

 private:
  bool record_rows(std::int64_t end, RowSink& sink, parallel::HaltMonitor& halt);
  bool step_to(std::int64_t step, parallel::HaltMonitor& halt);
  void check_thresholds();
  bool all_stopped() const;

  Setup setup_;
  std::vector<std::int64_t> row_steps_;
  std::int64_t step_ = 0;
  std::int64_t row_ = 0;
  std::vector<double> stop_times_;
  std::vector<double> latents_, previous_latents_;  ///< for thresholds only
};

/// z(t) crossed `threshold` between two values a step apart: the fraction of the step at the crossing, if it did.
std::optional<double> crossing(const config::StopOptions& stop, double before, double after);

}  // namespace rankflow::simulate
