#include "fit/fit_vsmc.hpp"

#include <memory>
#include <optional>

#include "config/load.hpp"
#include "fit/preparation.hpp"
#include "fit/session.hpp"

namespace rankflow::fit {
namespace {

/// A fit in one precision, as a session drives it.
template <class T>
class VsmcProcedure final : public Procedure {
 public:
  VsmcProcedure(const FitRequest& request, const parallel::Communicator& comm, Console& console)
      : request_(request),
        comm_(comm),
        console_(console),
        prepared_(request, comm),
        state_(prepared_.start, request.options.training.epochs) {}

  std::string identity() const override { return prepared_.identity(); }
  void save(io::CheckpointWriter& checkpoint) const override { state_.save(checkpoint); }
  void resume(const io::CheckpointReader& checkpoint) override { state_.resume(checkpoint); }
  void prepare() override { training_.emplace(prepared_.parts(comm_, console_), state_); }

  io::RunFile create_file() override {
    const auto contents = prepared_.contents(training_->steps_per_epoch());
    auto file = io::RunFile::create(
        comm_, request_.output,
        {.configuration = request_.configuration, .seed = static_cast<std::uint64_t>(request_.options.run.seed)},
        fit_layout(contents), io::FileType::fit);
    write_fit_data(file, contents);
    return file;
  }

  void begin() override { training_->begin(); }
  bool run(parallel::HaltMonitor& halt) override { return training_->run(halt); }
  std::string pause() const override { return training_->is_paused() ? "training.pause_after" : ""; }
  double progress() const override { return training_->progress(); }
  std::string note() const override { return training_->note(); }
  void write_curves(io::RunFile& file) const override { write_fit_curves(file, state_.curves); }
  void write_result(io::RunFile& file) const override {
    write_fit_result(file, prepared_.contents(training_->steps_per_epoch()), state_);
  }

  std::string summary() const override {
    const auto epoch = static_cast<std::size_t>(state_.best_epoch);
    const bool held_out = !prepared_.split.validation.empty();
    return fmt::format("the model after epoch {} of {}, log-likelihood per step{} {:.5g}", state_.best_epoch,
                       state_.epoch, held_out ? " of the held-out data" : "",
                       held_out ? state_.best_score : state_.curves.training[epoch]);
  }

 private:
  const FitRequest& request_;
  const parallel::Communicator& comm_;
  Console& console_;
  Preparation prepared_;
  TrainingState state_;
  std::optional<Training<T>> training_;
};

}  // namespace

ExitCode run_fit(const FitRequest& request, const parallel::Communicator& comm, Console& console) {
  const auto& run = request.options.run;
  auto inputs = input_files(request.options);
  inputs.push_back(request.source);
  const SessionOrder order{.output = request.output,
                           .type = io::FileType::fit,
                           .inputs = std::move(inputs),
                           .wall_time = run.wall_time,
                           .checkpoint_every = run.checkpoint_every,
                           .resume = request.resume,
                           .overwrite = request.overwrite,
                           .doing = "fitting",
                           .same_configuration = [&](const std::string& text) {
                             const auto earlier =
                                 config::load_text<config::FitVsmcOptions>(text, request.output.string(), {}).options;
                             return lasting_toml(earlier) == lasting_toml(request.options);
                           }};
  return run_session(
      order,
      [&]() -> std::unique_ptr<Procedure> {
        if (run.precision == config::Precision::single)
          return std::make_unique<VsmcProcedure<float>>(request, comm, console);
        return std::make_unique<VsmcProcedure<double>>(request, comm, console);
      },
      comm, console);
}

}  // namespace rankflow::fit
