#include "simulate/simulation.hpp"

#include "io/agreement.hpp"
#include "io/checkpoint_store.hpp"
#include "model/network_io.hpp"
#include "parallel/halt_monitor.hpp"
#include "simulate/assembly.hpp"
#include "simulate/output_check.hpp"
#include "simulate/recording_layout.hpp"
#include "simulate/run_layout.hpp"
#include "simulate/validation.hpp"

namespace rankflow::simulate {
namespace {

RecordPaths paths_of(io::FileType type) {
  return type == io::FileType::recording ? recording_paths() : RecordPaths{};
}

/// One session of one simulation in one precision.
template <class T>
class Session {
 public:
  Session(const Request& request, const parallel::Communicator& comm, Console& console, parallel::HaltMonitor& halt)
      : request_(request),
        comm_(comm),
        console_(console),
        halt_(halt),
        assembly_(request.options, paths_of(request.type), comm),
        store_(request.output, comm, run_identity(request.options, assembly_.network(), comm)) {}

  ExitCode run() {
    io::RunFile file = open_file();
    try {
      return advance(file);
    } catch (const NumericalError& error) {
      record_failure(file, error);
      throw;
    }
  }

 private:
  ExitCode advance(io::RunFile& file) {
    assembly_.recorder().attach(file);
    start_ = assembly_.engine().progress();
    halt_.set_observer([this] { console_.progress(assembly_.engine().progress()); });
    console_.begin_progress("simulating", start_);
    while (!assembly_.engine().run(assembly_.recorder(), halt_)) {
      write_checkpoint(file);
      halt_.checkpoint_written();
      if (halt_.last() == parallel::Halt::stop) return stopped(file);
    }
    console_.end_progress();
    finish(file);
    console_.info("wrote {}", request_.output.string());
    return ExitCode::done;
  }

  /// What went wrong is said by `error` in any case; the file says so too when it can still be written.
  void record_failure(io::RunFile& file, const NumericalError& error) {
    const auto unwritten = io::attempt([&] { file.fail(error.what()); });
    if (unwritten) console_.warn("the result does not say that it failed: {}", unwritten->message);
  }

  io::RunFile open_file() {
    if (request_.resume) return resume_file();
    io::RunLayout layout;
    assembly_.recorder().describe(layout);
    describe_final(layout, request_.options, assembly_.network().neurons(), assembly_.network().rank,
                   assembly_.engine());
    if (request_.type == io::FileType::recording) describe_recording(layout, request_.options, assembly_.observation());
    auto file = io::RunFile::create(
        comm_, request_.output,
        {.configuration = request_.configuration, .seed = static_cast<std::uint64_t>(request_.options.run.seed)},
        layout, request_.type);
    if (stores_network(request_.options, assembly_.network()))
      model::write_network(file.file(), assembly_.network(),
                           request_.type == io::FileType::recording ? "/truth/network" : "/network");
    file.flush();
    store_.remove_all();
    return file;
  }

  io::RunFile resume_file() {
    auto file = io::RunFile::resume(comm_, request_.output, request_.type);
    const auto loaded =
        store_.load_latest([&](const io::CheckpointReader& checkpoint) { assembly_.engine().resume(checkpoint); });
    for (const auto& warning : loaded.warnings) console_.warn("{}", warning);
    sequence_ = loaded.sequence;
    console_.info("continuing {} from {:.1f} % of the work", request_.output.string(),
                  100 * assembly_.engine().progress());
    return file;
  }

  /// The rows before the checkpoint must be on disk before the checkpoint says so.
  void write_checkpoint(io::RunFile& file) {
    file.flush();
    store_.write(
        ++sequence_, [&](io::CheckpointWriter& checkpoint) { assembly_.engine().save(checkpoint); }, state_bytes());
  }

  std::uint64_t state_bytes() const {
    if (request_.options.integration.space == config::Space::latent) return 0;
    return static_cast<std::uint64_t>(request_.options.time.trials) *
           static_cast<std::uint64_t>(assembly_.network().neurons()) * sizeof(T);
  }

  ExitCode stopped(io::RunFile& file) {
    const double done = assembly_.engine().progress();
    file.finish(io::Status::stopped);
    console_.end_progress();
    console_.info("stopped at {:.1f} % by {}; checkpoint written; continue with --resume", 100 * done, halt_.reason());
    if (done <= start_)
      console_.warn(
          "this session reached no point from which work can continue, so it is lost: allow more time, or "
          "shorten integration.restart_every");
    return ExitCode::stopped;
  }

  void finish(io::RunFile& file) {
    write_final(file, request_.options, assembly_.network().partition, assembly_.network().rank, assembly_.engine(),
                comm_);
    if (request_.type == io::FileType::recording) write_recording_truth(file, assembly_.observation());
    file.finish();
    store_.remove_all();
  }

  const Request& request_;
  const parallel::Communicator& comm_;
  Console& console_;
  parallel::HaltMonitor& halt_;
  Assembly<T> assembly_;
  io::CheckpointStore store_;
  std::int64_t sequence_ = 0;
  double start_ = 0.0;  ///< progress at the start of this session
};

}  // namespace

ExitCode run_simulation(const Request& asked, const parallel::Communicator& comm, Console& console) {
  Request request = asked;
  if (request.type == io::FileType::recording) request.options.output.inputs = true;  // part of what was recorded
  const auto& run = request.options.run;
  // From here on a signal leads to a checkpoint, also while the network is built.
  parallel::HaltMonitor halt(comm, {.wall_time = run.wall_time, .checkpoint_every = run.checkpoint_every});
  check_combination(request.options);
  const io::Earlier earlier = check_output(request, comm);
  if (request.resume && earlier == io::Earlier::complete) {
    require_same_configuration(request, comm);
    console.info("{} is complete; nothing to resume", request.output.string());
    return ExitCode::done;
  }
  if (request.resume && earlier == io::Earlier::nothing) {
    console.info("no checkpoint of {}; starting from the beginning", request.output.string());
    request.resume = false;
  }
  if (run.precision == config::Precision::single) return Session<float>(request, comm, console, halt).run();
  return Session<double>(request, comm, console, halt).run();
}

}  // namespace rankflow::simulate
