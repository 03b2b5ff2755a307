#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "parallel/halt_monitor.hpp"

namespace rankflow::io {
class CheckpointWriter;
class CheckpointReader;
}  // namespace rankflow::io

namespace rankflow::simulate {

/// The time at which a trial ended early, where it did not.
inline constexpr double never = std::numeric_limits<double>::quiet_NaN();

/// The state of some trials at one instant, as an engine shows it to what records it.
class StateView {
 public:
  virtual ~StateView() = default;
  virtual int first_trial() const = 0;
  virtual int trials() const = 0;
  /// Latents of the trials in view, [trials, R]. Collective.
  virtual void latents(std::span<double> z) const = 0;
  /// Potentials of the neurons of local tile `tile` in trial first_trial() + `trial`, tile_size values.
  /// `x` is 64-byte aligned.
  virtual void tile_potentials(int trial, std::int64_t tile, double* x) const = 0;
  /// Inputs v of a trial in view as its neurons see them [I]; empty where the engine does not follow them by
  /// themselves.
  virtual std::span<const double> inputs(int /*trial*/) const { return {}; }
  /// False for a trial in view that a [stop] threshold ended before this instant: its row stays NaN.
  virtual bool alive(int /*trial*/) const { return true; }
};

/// Saved rows: row r of a trial holds the state at time row_times[r].
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Rows that fit the buffer when `trials` trials are written together; at least 1.
  virtual std::int64_t rows_per_block(int trials) const = 0;
  /// Starts a block: rows from `first_row` on of the trials [first_trial, first_trial + trials).
  virtual void open_block(int first_trial, int trials, std::int64_t first_row) = 0;
  /// Records the next row of the block. Collective.
  virtual void record(std::int64_t row, const StateView& state) = 0;
  /// Writes the rows recorded since open_block. Collective.
  virtual void close_block() = 0;
};

/// What the integrator did, for /integrator in the output. One value per trial.
struct Counter {
  std::string name;
  std::string meaning;
  std::vector<std::int64_t> values;
};

/// Integrates all trials and hands saved rows to a sink. Everything an engine computes is bitwise the same
/// on any number of ranks.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Continues from the present position to the end. Returns true when done; false when `halt` asked to stop or a
  /// checkpoint is due: the state then is one that save() can store and resume() continue from. Collective.
  /// Throws NumericalError naming quantity, trial and time.
  virtual bool run(RowSink& sink, parallel::HaltMonitor& halt) = 0;
  /// Stores or restores position and state. Collective.
  virtual void save(io::CheckpointWriter& checkpoint) const = 0;
  virtual void resume(const io::CheckpointReader& checkpoint) = 0;
  /// Share of the work done, 0 to 1.
  virtual double progress() const = 0;
  virtual std::vector<Counter> counters() const = 0;
  /// Time at which each trial ended early through the [stop] threshold, or `never`.
  virtual std::vector<double> stop_times() const = 0;
  /// State at the end (or at the stop) of all trials.
  virtual const StateView& final_state() const = 0;
};

}  // namespace rankflow::simulate
