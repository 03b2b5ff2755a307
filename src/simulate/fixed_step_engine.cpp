#include "simulate/fixed_step_engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "simulate/schedule.hpp"

namespace rankflow::simulate {
namespace {}  // namespace

std::optional<double> crossing(const config::StopOptions& stop, double before, double after) {
  if (stop.above && before < *stop.above && after >= *stop.above) return (*stop.above - before) / (after - before);
  if (stop.below && before > *stop.below && after <= *stop.below) return (*stop.below - before) / (after - before);
  return std::nullopt;
}

FixedStepEngine::FixedStepEngine(Setup setup)
    : setup_(std::move(setup)),
      row_steps_(row_steps(setup_.row_times, setup_.step)),
      stop_times_(static_cast<std::size_t>(setup_.trials), never) {
  if (setup_.stop) {
    latents_.resize(static_cast<std::size_t>(setup_.trials) * static_cast<std::size_t>(setup_.rank));
    previous_latents_.resize(latents_.size());
  }
}

bool FixedStepEngine::running(std::int64_t trial) const {
  return std::isnan(stop_times_[static_cast<std::size_t>(trial)]);
}

bool FixedStepEngine::all_stopped() const {
  return setup_.stop && std::none_of(stop_times_.begin(), stop_times_.end(), [](double t) { return std::isnan(t); });
}

bool FixedStepEngine::run(RowSink& sink, parallel::HaltMonitor& halt) {
  const auto rows = static_cast<std::int64_t>(row_steps_.size());
  if (setup_.stop) latents(latents_);
  while (row_ < rows && !all_stopped()) {
    sink.open_block(0, trials(), row_);
    const bool reached = record_rows(std::min(rows, row_ + sink.rows_per_block(trials())), sink, halt);
    sink.close_block();
    if (!reached) return false;
  }
  return step_to(setup_.steps, halt);
}

/// Rows up to `end`; false when asked to halt before.
bool FixedStepEngine::record_rows(std::int64_t end, RowSink& sink, parallel::HaltMonitor& halt) {
  for (; row_ < end; ++row_) {
    if (!step_to(row_steps_[static_cast<std::size_t>(row_)], halt)) return false;
    if (all_stopped()) return true;
    sink.record(row_, *this);
  }
  return true;
}

/// False when asked to halt before `step`; true there, or when no trial is left.
bool FixedStepEngine::step_to(std::int64_t step, parallel::HaltMonitor& halt) {
  while (step_ < step && !all_stopped()) {
    if (halt.poll() != parallel::Halt::none) return false;
    advance();
    ++step_;
    check_thresholds();
  }
  return true;
}

void FixedStepEngine::check_thresholds() {
  if (!setup_.stop) return;
  std::swap(latents_, previous_latents_);
  latents(latents_);
  const auto rank = static_cast<std::size_t>(setup_.rank);
  for (std::size_t trial = 0; trial < stop_times_.size(); ++trial) {
    if (!running(static_cast<std::int64_t>(trial))) continue;
    const auto index = trial * rank + static_cast<std::size_t>(setup_.stop->latent);
    if (const auto fraction = crossing(*setup_.stop, previous_latents_[index], latents_[index]))
      stop_times_[trial] = time() - setup_.step + *fraction * setup_.step;
  }
}

void FixedStepEngine::require_finite(std::span<const double> values, const char* quantity) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const auto rank = static_cast<std::size_t>(setup_.rank);
    throw NumericalError(
        "{}_{} became {} in trial {} at t = {:.9g} s (step {}); a smaller time.step, an implicit method or a bounded "
        "activation keeps it finite",
        quantity, i % rank, values[i], i / rank, time() + setup_.step, step_ + 1);
  }
}

void FixedStepEngine::save(io::CheckpointWriter& checkpoint) const {
  const std::int64_t position[] = {step_, row_};
  checkpoint.values<std::int64_t>("position", position);
  checkpoint.values<double>("stop_times", stop_times_);
  save_state(checkpoint);
}

void FixedStepEngine::resume(const io::CheckpointReader& checkpoint) {
  const auto position = checkpoint.values<std::int64_t>("position");
  step_ = position.at(0);
  row_ = position.at(1);
  stop_times_ = checkpoint.values<double>("stop_times");
  resume_state(checkpoint);
}

double FixedStepEngine::progress() const {
  return setup_.steps == 0 ? 1.0 : static_cast<double>(step_) / static_cast<double>(setup_.steps);
}

std::vector<Counter> FixedStepEngine::counters() const {
  std::vector<std::int64_t> steps(stop_times_.size(), step_);
  for (std::size_t trial = 0; trial < steps.size(); ++trial)
    if (!std::isnan(stop_times_[trial]))
      steps[trial] = std::llround(std::ceil(stop_times_[trial] / setup_.step - 1e-9));
  return {{.name = "steps", .meaning = "time steps taken", .values = steps},
          {.name = "evaluations", .meaning = "sums over the population", .values = steps}};
}

}  // namespace rankflow::simulate
