#include "fit/training.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "nn/quasi_newton.hpp"

namespace rankflow::fit {
namespace {

/// Setbacks after which a fit is given up: the learning rate then is below a thousandth.
constexpr std::int64_t largest_setbacks = 10;
/// Iterations of the filter's random numbers that judge: the same at every judgement, apart from those of training.
constexpr std::uint64_t first_judging_iteration = std::uint64_t{1} << 63;

constexpr std::int64_t quasi_newton_iterations = 20;

/// Halts are possible after a step: for quasi_newton after the iterations of an epoch.
std::int64_t count_steps(const config::FitTrainingOptions& training, const BatchPlan& plan) {
  if (training.method == config::FitMethod::quasi_newton) return 1;
  return training.steps_per_epoch > 0 ? training.steps_per_epoch : plan.steps_per_pass();
}

}  // namespace

std::int64_t window_of(const config::FitVsmcOptions& options, const DataSet& data) {
  return options.training.window > 0 ? std::min(options.training.window, data.times) : data.times;
}

template <class T>
Training<T>::Training(const TrainingParts& parts, TrainingState& state)
    : parts_(parts),
      state_(state),
      window_(window_of(parts.options, parts.data)),
      objective_(parts.model, parts.options, parts.comm, parts.options.training.batch_trials, window_),
      plan_(parts.split.training, parts.options.training.batch_trials, window_,
            static_cast<std::uint64_t>(parts.options.run.seed)),
      full_(objective_, parts.data, consecutive_windows(parts.split.training, window_),
            parts.options.training.batch_trials, window_),
      steps_per_epoch_(count_steps(parts.options.training, plan_)),
      held_out_(consecutive_windows(parts.split.validation, window_)),
      batch_(parts.options.training.batch_trials, window_, parts.data),
      optimiser_(parts.options.training.optimiser, parts.model.latent.layout().total(),
                 parts.model.latent.layout().trainable_ranges()),
      descent_(state.now.parameters.size()) {
  go_to(Position(state.now));
}

template <class T>
Position Training<T>::position() const {
  const auto memory = optimiser_.state();
  return {state_.now.parameters, optimiser_.steps(), {memory.begin(), memory.end()}};
}

template <class T>
void Training<T>::go_to(const Position& position) {
  state_.now = position;
  optimiser_.restore(position.optimiser_steps, position.optimiser_state);
}

template <class T>
double Training<T>::learning_rate() const {
  const auto& training = parts_.options.training;
  return state_.rate_factor * nn::scheduled_learning_rate(training.optimiser,
                                                          state_.epoch * steps_per_epoch_ + state_.step,
                                                          training.epochs * steps_per_epoch_);
}

template <class T>
void Training<T>::begin() {
  if (state_.epoch > 0 || state_.step > 0 || state_.setbacks > 0) return;
  with_context("judging the model before training", [&] { judge(); });
  if (!held_out_.empty())
    parts_.console.info("before training: log-likelihood per step of the held-out data {:.5g}",
                        state_.curves.validation[0]);
  state_.finished = parts_.options.training.epochs == 0;
}

template <class T>
bool Training<T>::run(parallel::HaltMonitor& halt) {
  last_look_ = std::chrono::steady_clock::now();
  while (!state_.finished) {
    if (is_paused()) {
      settle();
      return false;
    }
    try {
      while (state_.step < steps_per_epoch_) {
        make_step();
        if (halt.poll() != parallel::Halt::none) {
          settle();
          return false;
        }
      }
      end_epoch();
    } catch (const NumericalError& error) {
      set_back(error);
    }
  }
  settle();
  return true;
}

template <class T>
bool Training<T>::is_paused() const {
  const auto after = parts_.options.training.pause_after;
  return after > 0 && state_.step == 0 && state_.epoch >= after;
}

/// Brings the state up to date; the clock's readings become those of rank 0, as the rest is equal anyway.
template <class T>
void Training<T>::settle() {
  state_.now = position();
  parts_.comm.broadcast(std::span(&state_.seconds, 1));
  parts_.comm.broadcast(std::span(state_.curves.seconds));
}

template <class T>
void Training<T>::make_step() {
  if (is_quasi_newton())
    make_full_step();
  else
    make_stochastic_step();
  ++state_.step;
  const auto time = std::chrono::steady_clock::now();
  state_.seconds += std::chrono::duration<double>(time - last_look_).count();
  last_look_ = time;
}

template <class T>
void Training<T>::remember_position() {
  state_.good = position();
  state_.good_epoch = state_.epoch;
}

template <class T>
void Training<T>::make_stochastic_step() {
  batch_.fill(plan_.windows(state_.epoch, state_.step));
  const auto iteration = static_cast<std::uint64_t>(state_.epoch * steps_per_epoch_ + state_.step);
  const auto evaluation =
      with_context(fmt::format("training in epoch {}, step {}; trials of the minibatch {}", state_.epoch + 1,
                               state_.step + 1, batch_.describe()),
                   [&] { return objective_.gradient(state_.now.parameters, batch_, iteration, descent_); });
  if (state_.step == 0) remember_position();
  const double norm = optimiser_.step(state_.now.parameters, descent_, learning_rate());
  if (!std::isfinite(norm))
    throw NumericalError("the norm of the gradient in epoch {}, step {} is {}", state_.epoch + 1, state_.step + 1,
                         norm);
  state_.gradient_norm += norm;
  state_.sum += evaluation;
}

/// All quasi-Newton iterations of an epoch.
template <class T>
void Training<T>::make_full_step() {
  remember_position();
  const auto asked = parts_.options.training.steps_per_epoch;
  const auto trainable = parts_.model.latent.layout().trainable_ranges();
  Evaluation evaluation;
  const auto result = with_context(fmt::format("training in epoch {}", state_.epoch + 1), [&] {
    return nn::minimise_quasi_newton(parts_.comm, state_.now.parameters, trainable,
                                     [&](std::span<const double> x, std::span<double> gradient) {
                                       evaluation = full_.gradient(x, gradient);
                                       return -evaluation.per_step();
                                     },
                                     {.max_iterations = asked > 0 ? asked : quasi_newton_iterations});
  });
  // The last evaluation may be one that the minimiser gave up.
  evaluation.log_likelihood = -result.objective * static_cast<double>(evaluation.steps);
  state_.gradient_norm = result.gradient_norm;
  state_.sum = evaluation;
}

/// Back to where the gradient was finite, with half the learning rate. Only the start itself leaves nowhere to go.
template <class T>
void Training<T>::set_back(const Error& error) {
  if (state_.epoch == 0 && state_.step == 0)
    throw NumericalError(
        "{}\nThe fit cannot begin: at its start the model does not explain the data; see noise, observation.std and "
        "smc.particles",
        error.report());
  ++state_.setbacks;
  state_.rate_factor /= 2;
  state_.epoch = state_.good_epoch;
  forget_best_after(state_.epoch);
  state_.curves.forget_after(state_.epoch);
  go_to(Position(state_.good));
  state_.step = 0;
  state_.sum = {};
  state_.gradient_norm = 0;
  if (is_quasi_newton())
    throw NumericalError(
        "{}\nThe quasi-Newton steps led where the model does not explain the data; training.method = \"stochastic\" "
        "goes on from such places",
        error.report());
  if (state_.setbacks > largest_setbacks)
    throw NumericalError(
        "{}\nThis is setback {} of the fit: halving the learning rate did not help. Begin with a smaller "
        "training.optimiser.learning_rate, set training.optimiser.clip_norm, or use more particles",
        error.report(), state_.setbacks);
  parts_.console.warn("{}\ngoing back to the beginning of epoch {}, on with {} times the learning rate", error.report(),
                      state_.epoch + 1, state_.rate_factor);
}

/// Without held-out data a model is judged by the steps that led to it, not by itself: what was judged after `epoch`
/// may be what is not finite.
template <class T>
void Training<T>::forget_best_after(std::int64_t epoch) {
  if (!held_out_.empty() || state_.best_epoch <= epoch) return;
  const double score = state_.curves.training[static_cast<std::size_t>(epoch)];
  state_.best = state_.good.parameters;
  state_.best_epoch = epoch;
  state_.best_score = std::isnan(score) ? -std::numeric_limits<double>::infinity() : score;
}

template <class T>
void Training<T>::end_epoch() {
  const auto row = static_cast<std::size_t>(state_.epoch) + 1;
  auto& curves = state_.curves;
  --state_.step;
  curves.learning_rate[row] = learning_rate();
  ++state_.step;
  curves.training[row] = state_.sum.per_step();
  curves.sample_size[row] = state_.sum.mean_sample_size();
  curves.gradient_norm[row] = state_.gradient_norm / static_cast<double>(steps_per_epoch_);
  const auto& training = parts_.options.training;
  const bool last = state_.epoch + 1 == training.epochs;
  if (last && held_out_.empty()) try_last_step();
  ++state_.epoch;
  if (last || state_.epoch % training.validation_every == 0)
    with_context(fmt::format("judging the model after epoch {}", state_.epoch), [&] { judge(); });
  const auto time = std::chrono::steady_clock::now();
  curves.seconds[row] = state_.seconds + std::chrono::duration<double>(time - last_look_).count();
  last_look_ = time;
  state_.seconds = 0;
  state_.step = 0;
  state_.sum = {};
  state_.gradient_norm = 0;
  if (last) state_.finished = true;
}

/// No later step would find out that the last one led astray.
template <class T>
void Training<T>::try_last_step() {
  const auto step = steps_per_epoch_ - 1;
  batch_.fill(plan_.windows(state_.epoch, step));
  with_context("filtering the last minibatch after the last step: " + batch_.describe(), [&] {
    objective_.value(state_.now.parameters, batch_, static_cast<std::uint64_t>(state_.epoch * steps_per_epoch_ + step));
  });
}

template <class T>
Evaluation Training<T>::validate() {
  Evaluation sum;
  const auto size = static_cast<std::size_t>(batch_.trials());
  for (std::size_t first = 0; first < held_out_.size(); first += size) {
    batch_.fill(std::span(held_out_).subspan(first, std::min(size, held_out_.size() - first)));
    sum += with_context("filtering held-out data: " + batch_.describe(), [&] {
      return objective_.value(state_.now.parameters, batch_, first_judging_iteration + first / size);
    });
  }
  return sum;
}

template <class T>
void Training<T>::judge() {
  const auto row = static_cast<std::size_t>(state_.epoch);
  double score = state_.curves.training[row];
  if (!held_out_.empty()) {
    const auto found = validate();
    score = found.per_step();
    state_.curves.validation[row] = score;
    if (row == 0) state_.curves.sample_size[0] = found.mean_sample_size();
  }
  const bool better = score > state_.best_score;
  // Minibatches judge by luck as much as by merit: what they like best is no reason to keep an earlier epoch.
  if (better || held_out_.empty()) {
    state_.best = state_.now.parameters;
    state_.best_epoch = state_.epoch;
  }
  if (better) {
    state_.best_score = score;
    state_.judgements_without_better = 0;
    return;
  }
  const auto patience = parts_.options.training.patience;
  if (++state_.judgements_without_better < patience || patience == 0 || row == 0) return;
  parts_.console.info("stopping after epoch {}: {} judgements without a better one than after epoch {}", state_.epoch,
                      patience, state_.best_epoch);
  state_.finished = true;
}

template <class T>
double Training<T>::progress() const {
  const auto total = static_cast<double>(parts_.options.training.epochs * steps_per_epoch_);
  return total > 0 ? static_cast<double>(state_.epoch * steps_per_epoch_ + state_.step) / total : 1.0;
}

template <class T>
std::string Training<T>::note() const {
  const auto row = static_cast<std::size_t>(state_.epoch);
  const auto& curves = state_.curves;
  const bool fresh = state_.sum.steps > 0;
  std::string text = fmt::format("epoch {}/{}", std::min(state_.epoch + 1, parts_.options.training.epochs),
                                 parts_.options.training.epochs);
  if (fresh || row > 0)
    text += fmt::format(", log-likelihood per step {:.5g}", fresh ? state_.sum.per_step() : curves.training[row]);
  auto judged = row;
  while (judged > 0 && std::isnan(curves.validation[judged])) --judged;
  if (!held_out_.empty()) text += fmt::format(" (held out {:.5g})", curves.validation[judged]);
  return text + fmt::format(", learning rate {:.3g}, effective sample size {:.0f} %", learning_rate(),
                            100 * (fresh ? state_.sum.mean_sample_size() : curves.sample_size[row]));
}

template class Training<float>;
template class Training<double>;

}  // namespace rankflow::fit
