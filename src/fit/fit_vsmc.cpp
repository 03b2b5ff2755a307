#include "fit/fit_vsmc.hpp"

#include "config/load.hpp"
#include "fit/preparation.hpp"
#include "io/agreement.hpp"
#include "io/checkpoint_store.hpp"
#include "io/earlier_output.hpp"
#include "io/run_file.hpp"
#include "parallel/halt_monitor.hpp"

namespace rankflow::fit {
namespace {

/// One session of one fit in one precision.
template <class T>
class Session {
 public:
  Session(const FitRequest& request, const parallel::Communicator& comm, Console& console, parallel::HaltMonitor& halt)
      : request_(request),
        comm_(comm),
        console_(console),
        halt_(halt),
        prepared_(request, comm),
        state_(prepared_.start, request.options.training.epochs),
        store_(request.output, comm, prepared_.identity()) {}

  ExitCode run() {
    if (request_.resume) load_checkpoint();
    Training<T> training(prepared_.parts(comm_, console_), state_);
    auto file = open_file(training);
    try {
      return advance(file, training);
    } catch (const NumericalError& error) {
      record_failure(file, training, error);
      throw;
    }
  }

 private:
  void load_checkpoint() {
    const auto loaded = store_.load_latest([&](const io::CheckpointReader& checkpoint) { state_.resume(checkpoint); });
    for (const auto& warning : loaded.warnings) console_.warn("{}", warning);
    sequence_ = loaded.sequence;
  }

  io::RunFile open_file(const Training<T>& training) {
    if (request_.resume) {
      console_.info("continuing {} from {:.1f} % of the work", request_.output.string(), 100 * training.progress());
      return io::RunFile::resume(comm_, request_.output, io::FileType::fit);
    }
    const auto contents = prepared_.contents(training.steps_per_epoch());
    auto file = io::RunFile::create(
        comm_, request_.output,
        {.configuration = request_.configuration, .seed = static_cast<std::uint64_t>(request_.options.run.seed)},
        fit_layout(contents), io::FileType::fit);
    write_fit_data(file, contents);
    file.flush();
    store_.remove_all();
    return file;
  }

  ExitCode advance(io::RunFile& file, Training<T>& training) {
    training.begin();
    has_begun_ = true;
    const double start = training.progress();
    halt_.set_observer([&] { console_.progress(training.progress(), training.note()); });
    console_.begin_progress("fitting", start);
    while (!training.run(halt_)) {
      write_checkpoint(file);
      halt_.checkpoint_written();
      if (halt_.last() == parallel::Halt::stop || training.is_paused()) return stopped(file, training);
    }
    console_.end_progress();
    return finished(file, training);
  }

  /// The curves before the checkpoint must be on disk before the checkpoint says so.
  void write_checkpoint(io::RunFile& file) {
    write_fit_curves(file, state_.curves);
    file.flush();
    store_.write(++sequence_, [&](io::CheckpointWriter& checkpoint) { state_.save(checkpoint); });
  }

  ExitCode stopped(io::RunFile& file, const Training<T>& training) {
    write_fit_result(file, prepared_.contents(training.steps_per_epoch()), state_);
    file.finish(io::Status::stopped);
    console_.end_progress();
    const auto reason = training.is_paused() ? std::string("training.pause_after") : halt_.reason();
    console_.info("stopped at {:.1f} % by {}; checkpoint written; continue with --resume", 100 * training.progress(),
                  reason);
    return ExitCode::stopped;
  }

  ExitCode finished(io::RunFile& file, const Training<T>& training) {
    write_fit_curves(file, state_.curves);
    write_fit_result(file, prepared_.contents(training.steps_per_epoch()), state_);
    file.finish();
    store_.remove_all();
    const auto epoch = static_cast<std::size_t>(state_.best_epoch);
    const bool held_out = !prepared_.split.validation.empty();
    console_.info("wrote {}: the model after epoch {} of {}, log-likelihood per step{} {:.5g}",
                  request_.output.string(), state_.best_epoch, state_.epoch, held_out ? " of the held-out data" : "",
                  held_out ? state_.best_score : state_.curves.training[epoch]);
    return ExitCode::done;
  }

  /// The best model so far is kept, unless the start itself failed. What went wrong is said by `error` in any case; the
  /// file says so too when it can still be written.
  void record_failure(io::RunFile& file, const Training<T>& training, const NumericalError& error) {
    const auto unwritten = io::attempt([&] {
      // A rank that failed alone must not wait for the others.
      if (has_begun_ && file.file().comm().meet_within(io::patience_seconds)) {
        write_fit_curves(file, state_.curves);
        write_fit_result(file, prepared_.contents(training.steps_per_epoch()), state_);
        console_.info("{} keeps the model after epoch {}", request_.output.string(), state_.best_epoch);
      }
      file.fail(error.what());
    });
    if (unwritten) console_.warn("the result does not say that it failed: {}", unwritten->message);
  }

  const FitRequest& request_;
  const parallel::Communicator& comm_;
  Console& console_;
  parallel::HaltMonitor& halt_;
  Preparation prepared_;
  TrainingState state_;
  io::CheckpointStore store_;
  std::int64_t sequence_ = 0;
  bool has_begun_ = false;  ///< the start could be judged: there is a model
};

void require_same_configuration(const FitRequest& request, const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, request.output);
  const auto stored = file.attribute("/provenance", "configuration");
  const auto* text = stored ? std::get_if<std::string>(&*stored) : nullptr;
  if (text == nullptr) throw InputDataError("{} does not say which configuration made it", request.output.string());
  const auto earlier = config::load_text<config::FitVsmcOptions>(*text, request.output.string(), {}).options;
  if (lasting_toml(earlier) != lasting_toml(request.options))
    throw ConfigurationError(
        "{} is complete, but was made with another configuration (see inspect); choose another output, or leave out "
        "--resume to replace it",
        request.output.string());
}

}  // namespace

ExitCode run_fit(const FitRequest& asked, const parallel::Communicator& comm, Console& console) {
  FitRequest request = asked;
  const auto& run = request.options.run;
  parallel::HaltMonitor halt(comm, {.wall_time = run.wall_time, .checkpoint_every = run.checkpoint_every});
  auto inputs = input_files(request.options);
  inputs.push_back(request.source);
  const auto earlier = io::check_output({.path = request.output,
                                         .type = io::FileType::fit,
                                         .inputs = std::move(inputs),
                                         .resume = request.resume,
                                         .overwrite = request.overwrite},
                                        comm);
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

}  // namespace rankflow::fit
