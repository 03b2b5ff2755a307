#include "simulate/simulation.hpp"

#include <algorithm>

#include "config/load.hpp"
#include "io/checkpoint_store.hpp"
#include "model/network_io.hpp"
#include "parallel/halt_monitor.hpp"
#include "simulate/assembly.hpp"
#include "simulate/recording_layout.hpp"
#include "simulate/run_layout.hpp"

namespace rankflow::simulate {
namespace {

RecordPaths paths_of(io::FileType type) {
  return type == io::FileType::recording ? recording_paths() : RecordPaths{};
}

/// Identifies what a checkpoint belongs to: the configuration but for what may change between sessions.
std::string configuration_hash(config::SimulateOptions options) {
  options.run.wall_time = 0;
  options.run.checkpoint_every = 0;
  return io::hash_of(config::resolved_toml(options));
}

/// One session of one simulation in one precision.
template <class T>
class Session {
 public:
  Session(const Request& request, const parallel::Communicator& comm, Console& console)
      : request_(request),
        comm_(comm),
        console_(console),
        assembly_(request.options, paths_of(request.type), comm),
        store_(request.output, comm, configuration_hash(request.options)) {}

  ExitCode run() {
    io::RunFile file = open_file();
    assembly_.recorder().attach(file);
    parallel::HaltMonitor halt(comm_, {.wall_time = request_.options.run.wall_time,
                                       .checkpoint_every = request_.options.run.checkpoint_every});
    halt.set_observer([this] { console_.progress(assembly_.engine().progress()); });
    console_.begin_progress("simulating", assembly_.engine().progress());
    while (!assembly_.engine().run(assembly_.recorder(), halt)) {
      write_checkpoint(file);
      halt.checkpoint_written();
      if (halt.last() == parallel::Halt::stop) return stopped(file, halt.reason());
    }
    console_.end_progress();
    finish(file);
    return ExitCode::done;
  }

 private:
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

  ExitCode stopped(io::RunFile& file, const std::string& reason) {
    const double done = assembly_.engine().progress();
    file.finish(io::Status::stopped);
    console_.end_progress();
    console_.info("stopped at {:.1f} % by {}; checkpoint written; continue with --resume", 100 * done, reason);
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
  Assembly<T> assembly_;
  io::CheckpointStore store_;
  std::int64_t sequence_ = 0;
};

/// The state of the output before this session.
enum class Earlier { nothing, complete, unfinished };

Earlier look_at_output(const Request& request, const parallel::Communicator& comm) {
  std::int64_t found = 0;
  if (comm.is_root()) found = std::filesystem::is_regular_file(request.output) ? 1 : 0;
  comm.broadcast(std::span(&found, 1));
  if (found == 0) return Earlier::nothing;
  const io::CheckpointStore store(request.output, comm, "");
  if (!store.sequences().empty()) return Earlier::unfinished;
  if (!request.resume) return Earlier::complete;
  const auto file = io::File::open(comm, request.output);
  io::require_file_type(file, request.type);
  const auto status = file.attribute("/provenance", "status");
  return status && *status == io::Attribute(io::name_of(io::Status::complete)) ? Earlier::complete : Earlier::nothing;
}

template <class T>
ExitCode run_session(const Request& request, const parallel::Communicator& comm, Console& console) {
  return Session<T>(request, comm, console).run();
}

}  // namespace

ExitCode run_simulation(const Request& asked, const parallel::Communicator& comm, Console& console) {
  Request request = asked;
  if (request.type == io::FileType::recording) request.options.output.inputs = true;  // part of what was recorded
  check_combination(request.options);
  const Earlier earlier = look_at_output(request, comm);
  if (request.resume && earlier == Earlier::complete) {
    console.info("{} is complete; nothing to resume", request.output.string());
    return ExitCode::done;
  }
  if (request.resume && earlier == Earlier::nothing) {
    console.info("no checkpoint of {}; starting from the beginning", request.output.string());
    request.resume = false;
  }
  if (!request.resume && earlier == Earlier::unfinished && !request.overwrite)
    throw ConfigurationError(
        "{} is an unfinished run with a checkpoint; continue it with --resume, or discard it with "
        "--overwrite",
        request.output.string());
  return request.options.run.precision == config::Precision::single ? run_session<float>(request, comm, console)
                                                                    : run_session<double>(request, comm, console);
}

}  // namespace rankflow::simulate
