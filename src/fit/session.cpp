#include "fit/session.hpp"

#include "io/agreement.hpp"
#include "io/earlier_output.hpp"

namespace rankflow::fit {
namespace {

class Session {
 public:
  Session(const SessionOrder& order, Procedure& procedure, const parallel::Communicator& comm, Console& console,
          parallel::HaltMonitor& halt)
      : order_(order),
        procedure_(procedure),
        comm_(comm),
        console_(console),
        halt_(halt),
        store_(order.output, comm, procedure.identity()) {}

  ExitCode run(bool resume) {
    if (resume) load_checkpoint();
    procedure_.prepare();
    auto file = open_file(resume);
    try {
      return advance(file);
    } catch (const InputOutputError&) {
      throw;  // where writing failed, nothing more is written
    } catch (const Error& error) {
      record_failure(file, error);
      throw;
    }
  }

 private:
  void load_checkpoint() {
    const auto loaded =
        store_.load_latest([&](const io::CheckpointReader& checkpoint) { procedure_.resume(checkpoint); });
    for (const auto& warning : loaded.warnings) console_.warn("{}", warning);
    sequence_ = loaded.sequence;
  }

  io::RunFile open_file(bool resume) {
    if (resume) {
      console_.info("continuing {} from {:.1f} % of the work", order_.output.string(), 100 * procedure_.progress());
      return io::RunFile::resume(comm_, order_.output, order_.type);
    }
    auto file = procedure_.create_file();
    file.flush();
    store_.remove_all();
    return file;
  }

  ExitCode advance(io::RunFile& file) {
    procedure_.begin();
    has_begun_ = true;
    halt_.set_observer([&] { console_.progress(procedure_.progress(), procedure_.note()); });
    console_.begin_progress(order_.doing, procedure_.progress());
    while (!procedure_.run(halt_)) {
      write_checkpoint(file);
      halt_.checkpoint_written();
      if (halt_.last() == parallel::Halt::stop || !procedure_.pause().empty()) return stopped(file);
    }
    console_.end_progress();
    return finished(file);
  }

  /// The curves before the checkpoint must be on disk before the checkpoint says so.
  void write_checkpoint(io::RunFile& file) {
    procedure_.write_curves(file);
    file.flush();
    store_.write(++sequence_, [&](io::CheckpointWriter& checkpoint) { procedure_.save(checkpoint); });
  }

  ExitCode stopped(io::RunFile& file) {
    procedure_.write_result(file);
    file.finish(io::Status::stopped);
    console_.end_progress();
    const auto pause = procedure_.pause();
    console_.info("stopped at {:.1f} % by {}; checkpoint written; continue with --resume", 100 * procedure_.progress(),
                  pause.empty() ? halt_.reason() : pause);
    return ExitCode::stopped;
  }

  ExitCode finished(io::RunFile& file) {
    procedure_.write_curves(file);
    procedure_.write_result(file);
    file.finish();
    store_.remove_all();
    console_.info("wrote {}: {}", order_.output.string(), procedure_.summary());
    return ExitCode::done;
  }

  /// What there is is kept, unless the start itself failed. What went wrong is said by `error` in any case; the file
  /// says so too when it can still be written.
  void record_failure(io::RunFile& file, const Error& error) {
    const auto unwritten = io::attempt([&] {
      // A rank that failed alone must not wait for the others.
      if (has_begun_ && file.file().comm().meet_within(io::patience_seconds)) {
        procedure_.write_curves(file);
        procedure_.write_result(file);
        console_.info("{} keeps {}", order_.output.string(), procedure_.summary());
      }
      file.fail(error.what());
    });
    if (unwritten) console_.warn("the result does not say that it failed: {}", unwritten->message);
  }

  const SessionOrder& order_;
  Procedure& procedure_;
  const parallel::Communicator& comm_;
  Console& console_;
  parallel::HaltMonitor& halt_;
  io::CheckpointStore store_;
  std::int64_t sequence_ = 0;
  bool has_begun_ = false;  ///< the start could be judged: there is a model
};

void require_same_configuration(const SessionOrder& order, const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, order.output);
  const auto stored = file.attribute("/provenance", "configuration");
  const auto* text = stored ? std::get_if<std::string>(&*stored) : nullptr;
  if (text == nullptr) throw InputDataError("{} does not say which configuration made it", order.output.string());
  if (!order.same_configuration(*text))
    throw ConfigurationError(
        "{} is complete, but was made with another configuration (see inspect); choose another output, or leave out "
        "--resume to replace it",
        order.output.string());
}

}  // namespace

ExitCode run_session(const SessionOrder& order, const std::function<std::unique_ptr<Procedure>()>& make,
                     const parallel::Communicator& comm, Console& console) {
  // From here on a signal leads to a checkpoint, also while data are read.
  parallel::HaltMonitor halt(comm, {.wall_time = order.wall_time, .checkpoint_every = order.checkpoint_every});
  const auto earlier = io::check_output({.path = order.output,
                                         .type = order.type,
                                         .inputs = order.inputs,
                                         .resume = order.resume,
                                         .overwrite = order.overwrite},
                                        comm);
  if (order.resume && earlier == io::Earlier::complete) {
    require_same_configuration(order, comm);
    console.info("{} is complete; nothing to resume", order.output.string());
    return ExitCode::done;
  }
  const bool resume = order.resume && earlier != io::Earlier::nothing;
  if (order.resume && !resume) console.info("no checkpoint of {}; starting from the beginning", order.output.string());
  const auto procedure = make();
  return Session(order, *procedure, comm, console, halt).run(resume);
}

}  // namespace rankflow::fit
