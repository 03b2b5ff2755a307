#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/console.hpp"
#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "io/run_file.hpp"
#include "parallel/communicator.hpp"
#include "parallel/halt_monitor.hpp"

namespace rankflow::fit {

/// A training procedure as a session drives it: it can be stopped between two steps, saved and gone on with. All
/// functions are collective.
class Procedure {
 public:
  Procedure() = default;
  Procedure(const Procedure&) = delete;
  Procedure& operator=(const Procedure&) = delete;
  virtual ~Procedure() = default;

  /// Identifies what a checkpoint belongs to.
  virtual std::string identity() const = 0;
  virtual void save(io::CheckpointWriter& checkpoint) const = 0;
  virtual void resume(const io::CheckpointReader& checkpoint) = 0;
  /// Comes once, after resume() if there is something to resume, and before everything below.
  virtual void prepare() = 0;
  /// Makes the output with all that does not change.
  virtual io::RunFile create_file() = 0;
  /// Whatever comes before the first step, unless it was resumed. A result can be written from here on.
  virtual void begin() = 0;
  /// Works until done (true), or until the monitor asks to halt or a pause is due (false).
  virtual bool run(parallel::HaltMonitor& halt) = 0;
  /// Why a pause is due, as in "training.pause_after"; empty: none is.
  virtual std::string pause() const = 0;
  /// Share of the work done.
  virtual double progress() const = 0;
  /// For the progress line.
  virtual std::string note() const = 0;
  /// Values only, so that a kill leaves a file that opens.
  virtual void write_curves(io::RunFile& file) const = 0;
  virtual void write_result(io::RunFile& file) const = 0;
  /// What is in the file in the end, as in "the model after epoch 3 of 10".
  virtual std::string summary() const = 0;
};

/// One session of a training as a driver orders it.
struct SessionOrder {
  std::filesystem::path output;
  io::FileType type = io::FileType::fit;
  std::vector<std::filesystem::path> inputs;   ///< files that are read
  double wall_time = 0, checkpoint_every = 0;  ///< s
  bool resume = false;
  bool overwrite = false;
  std::string doing;  ///< "fitting"
  /// Whether the configuration that made a complete output is the one that is asked for.
  std::function<bool(const std::string& configuration)> same_configuration;
};

/// Begins a training or goes on with it; returns done, or stopped after a signal, a pause, or at the end of the
/// wall-time budget, with a checkpoint to resume from. When it fails numerically the file keeps what there is and says
/// so. Collective. Throws the errors of its parts, and ConfigurationError when the output is unfinished and neither
/// resume nor overwrite was asked for, or is complete and to be resumed with another configuration.
ExitCode run_session(const SessionOrder& order, const std::function<std::unique_ptr<Procedure>()>& make,
                     const parallel::Communicator& comm, Console& console);

}  // namespace rankflow::fit
