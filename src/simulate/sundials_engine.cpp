#include "simulate/sundials_engine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "simulate/sundials_integrator.hpp"
#include "simulate/sundials_rows.hpp"
#include "simulate/sundials_schedule.hpp"

namespace rankflow::simulate {
namespace {

/// A counter of the engine: where it is found in IntegratorWork, and the methods that have it.
struct CounterKind {
  const char* name;
  const char* meaning;
  std::int64_t IntegratorWork::*field;
  bool explicit_methods;
  bool krylov_only;
};

constexpr std::array counter_kinds{
    CounterKind{"steps", "internal steps taken", &IntegratorWork::steps, true, false},
    CounterKind{"evaluations", "right-hand sides evaluated, those of interpolation included",
                &IntegratorWork::evaluations, true, false},
    CounterKind{"error_test_failures", "steps repeated because their estimated error was too large",
                &IntegratorWork::error_failures, true, false},
    CounterKind{"nonlinear_iterations",
                "iterations of the implicit equation: functional (adams) or Newton (bdf, one linear solve each)",
                &IntegratorWork::nonlinear_iterations, false, false},
    CounterKind{"convergence_failures", "implicit equations that did not converge",
                &IntegratorWork::convergence_failures, false, false},
    CounterKind{"krylov_iterations", "GMRES iterations of the linear solves", &IntegratorWork::linear_iterations, false,
                true}};

void add(IntegratorWork& sum, const IntegratorWork& term) {
  for (const auto& kind : counter_kinds) sum.*kind.field += term.*kind.field;
}

class SundialsEngine final : public Engine {
 public:
  SundialsEngine(const config::SimulateOptions& options, const model::Network<double>& network,
                 std::unique_ptr<model::Bulk> bulk, model::Inputs inputs, const InitialState& initial,
                 std::vector<double> row_times, const parallel::Communicator& comm)
      : options_(options.integration),
        step_(options.time.step),
        trials_(static_cast<int>(options.time.trials)),
        schedule_(options, std::move(row_times)),
        has_bulk_(bulk != nullptr),
        inputs_(std::move(inputs)),
        space_(
            make_sundials_space(options.integration.space, network, std::move(bulk), inputs_, initial, trials_, comm)),
        state_(space_->make_vector(context_.get())),
        row_state_(space_->make_vector(context_.get())),
        problem_(*space_, options.stop, network.rank),
        stored_view_(*space_, trials_),
        stop_times_(static_cast<std::size_t>(trials_), never),
        restarts_(stop_times_.size()),
        work_(stop_times_.size()) {
    integrator_ = options_.method == config::Method::runge_kutta
                      ? make_erk_integrator(options_, step_, problem_, state_.get())
                      : make_cvode_integrator(options_, problem_, state_.get());
  }

  bool run(RowSink& sink, parallel::HaltMonitor& halt) override;
  void save(io::CheckpointWriter& checkpoint) const override;
  void resume(const io::CheckpointReader& checkpoint) override;
  double progress() const override;
  std::vector<Counter> counters() const override;
  std::vector<double> stop_times() const override { return stop_times_; }
  const StateView& final_state() const override { return stored_view_; }

 private:
  /// What the segment under way did: counts only once it is complete.
  struct Segment {
    double time = 0.0;
    double end = 0.0;
    bool event = false;
    std::int64_t restarts = 0;
    IntegratorWork work = {};
  };

  bool fixed_steps() const { return options_.method == config::Method::runge_kutta && !options_.adaptive; }
  bool stopped(int trial) const { return !std::isnan(stop_times_[static_cast<std::size_t>(trial)]); }
  /// False when `halt` asked to stop: nothing of the segment is kept then.
  bool run_segment(RowSink& sink, parallel::HaltMonitor& halt);
  /// Integrates to the next jump of the inputs or the segment's end.
  bool run_piece(Segment& segment, RowBlocks& rows, parallel::HaltMonitor& halt);
  void record_rows(double t, RowBlocks& rows);
  void keep(const Segment& segment);
  void next_position();

  config::IntegrationOptions options_;
  double step_;
  int trials_;
  SundialsSchedule schedule_;
  bool has_bulk_;
  model::Inputs inputs_;
  SundialsContext context_;
  std::unique_ptr<SundialsSpace> space_;
  VectorHandle state_, row_state_;
  SundialsProblem problem_;
  StoredView stored_view_;
  std::unique_ptr<SundialsIntegrator> integrator_;

  std::int64_t segment_ = 0;  ///< position: this segment of trial_ is next
  int trial_ = 0;
  double segment_share_ = 0.0;  ///< done of the segment under way, for progress()
  bool checkpoint_due_ = false;
  std::vector<double> stop_times_;
  std::vector<std::int64_t> restarts_;
  std::vector<IntegratorWork> work_;
};

bool SundialsEngine::run(RowSink& sink, parallel::HaltMonitor& halt) {
  while (segment_ < schedule_.segments()) {
    if (!stopped(trial_) && !run_segment(sink, halt)) return false;
    next_position();
    if (checkpoint_due_ && segment_ < schedule_.segments()) {
      checkpoint_due_ = false;
      return false;
    }
  }
  return true;
}

void SundialsEngine::next_position() {
  segment_share_ = 0.0;
  if (++trial_ < trials_) return;
  trial_ = 0;
  ++segment_;
}

bool SundialsEngine::run_segment(RowSink& sink, parallel::HaltMonitor& halt) {
  Segment segment{.time = schedule_.begin(segment_), .end = schedule_.end(segment_)};
  space_->load(trial_, state_.get());
  RowBlocks rows(sink, trial_, schedule_.first_row(segment_));
  if (segment_ == 0) record_rows(0.0, rows);
  while (segment.time < segment.end - schedule_.slack() && !segment.event) {
    if (!run_piece(segment, rows, halt)) {
      rows.close();
      return false;
    }
  }
  rows.close();
  keep(segment);
  return true;
}

bool SundialsEngine::run_piece(Segment& segment, RowBlocks& rows, parallel::HaltMonitor& halt) {
  const double slack = schedule_.slack();
  const double jump = inputs_.next_jump(trial_, segment.time + slack);
  const double limit = jump < segment.end - slack ? jump : segment.end;
  // Well inside the piece, so that rounding cannot put the inputs on the other side of a jump.
  const double first = segment.time + slack;
  problem_.system().enter(trial_, first, std::max(first, limit - slack));
  integrator_->restart(segment.time, state_.get(), std::min(step_, limit - segment.time));
  ++segment.restarts;
  const double begin = schedule_.begin(segment_);
  std::int64_t steps = 0;
  while (segment.time < limit && !segment.event) {
    const auto verdict = halt.poll();
    if (verdict == parallel::Halt::stop) return false;
    if (verdict == parallel::Halt::checkpoint) checkpoint_due_ = true;
    if (++steps > options_.maximum_steps)
      throw_integration_failure(
          fmt::format("more than integration.maximum_steps = {} steps between two restarts", options_.maximum_steps),
          "raise it, raise the tolerances, or use method = \"bdf\" if the problem is stiff", trial_, segment.time,
          integrator_->last_step());
    const double target = fixed_steps() ? schedule_.next_grid_time(segment.time, limit) : limit;
    const auto advance = integrator_->advance(target, state_.get());
    segment.time = advance.time;
    segment.event = advance.event;
    segment_share_ = (segment.time - begin) / (segment.end - begin);
    record_rows(segment.time, rows);
  }
  add(segment.work, integrator_->work());
  return true;
}

void SundialsEngine::record_rows(double t, RowBlocks& rows) {
  for (; schedule_.row_due(rows.next(), t);) {
    const double row_time = schedule_.row_time(rows.next());
    if (row_time >= t - schedule_.slack()) {
      rows.record(RowView(*space_, trial_, state_.get()));
    } else {
      integrator_->interpolate(row_time, row_state_.get());
      rows.record(RowView(*space_, trial_, row_state_.get()));
    }
  }
}

void SundialsEngine::keep(const Segment& segment) {
  const auto trial = static_cast<std::size_t>(trial_);
  space_->store(trial_, state_.get());
  if (segment.event) stop_times_[trial] = segment.time;
  restarts_[trial] += segment.restarts;
  add(work_[trial], segment.work);
}

double SundialsEngine::progress() const {
  const double done = static_cast<double>(segment_) * trials_ + trial_ + segment_share_;
  return done / (static_cast<double>(schedule_.segments()) * trials_);
}

std::vector<Counter> SundialsEngine::counters() const {
  std::vector<Counter> counters;
  for (const auto& kind : counter_kinds) {
    if (options_.method == config::Method::runge_kutta && !kind.explicit_methods) continue;
    if (kind.krylov_only && !(options_.method == config::Method::bdf && has_bulk_)) continue;
    Counter& counter = counters.emplace_back(Counter{kind.name, kind.meaning, {}});
    for (const auto& work : work_) counter.values.push_back(work.*kind.field);
  }
  counters.push_back({"restarts", "times the integrator started afresh: segments and jumps of inputs", restarts_});
  return counters;
}

void SundialsEngine::save(io::CheckpointWriter& checkpoint) const {
  const std::int64_t position[] = {segment_, trial_};
  checkpoint.values<std::int64_t>("position", position);
  checkpoint.values<double>("stop_times", stop_times_);
  checkpoint.values<std::int64_t>("restarts", restarts_);
  for (const auto& kind : counter_kinds) {
    std::vector<std::int64_t> values;
    for (const auto& work : work_) values.push_back(work.*kind.field);
    checkpoint.values<std::int64_t>(kind.name, values);
  }
  space_->save(checkpoint);
}

void SundialsEngine::resume(const io::CheckpointReader& checkpoint) {
  const auto position = checkpoint.values<std::int64_t>("position");
  segment_ = position.at(0);
  trial_ = static_cast<int>(position.at(1));
  stop_times_ = checkpoint.values<double>("stop_times");
  restarts_ = checkpoint.values<std::int64_t>("restarts");
  for (const auto& kind : counter_kinds) {
    const auto values = checkpoint.values<std::int64_t>(kind.name);
    for (std::size_t trial = 0; trial < work_.size(); ++trial) work_[trial].*kind.field = values.at(trial);
  }
  space_->resume(checkpoint);
}

}  // namespace

std::unique_ptr<Engine> make_sundials_engine(const config::SimulateOptions& options,
                                             const model::Network<double>& network, std::unique_ptr<model::Bulk> bulk,
                                             model::Inputs inputs, const InitialState& initial,
                                             std::vector<double> row_times, const parallel::Communicator& comm) {
  return std::make_unique<SundialsEngine>(options, network, std::move(bulk), std::move(inputs), initial,
                                          std::move(row_times), comm);
}

}  // namespace rankflow::simulate
