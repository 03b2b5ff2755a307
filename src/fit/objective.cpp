#include "fit/objective.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

void require_finite(std::span<const double> gradient, const nn::ParameterLayout& layout) {
  const auto bad = std::find_if(gradient.begin(), gradient.end(), [](double g) { return !std::isfinite(g); });
  if (bad != gradient.end())
    throw NumericalError("the gradient of the log-likelihood with respect to {} is {}",
                         layout.describe(bad - gradient.begin()), *bad);
}

}  // namespace

Evaluation& Evaluation::operator+=(const Evaluation& other) {
  log_likelihood += other.log_likelihood;
  sample_size += other.sample_size;
  steps += other.steps;
  return *this;
}

template <class T>
Objective<T>::Objective(const FitModel& model, const config::FitVsmcOptions& options,
                        const parallel::Communicator& comm, std::int64_t trials, std::int64_t times)
    : model_(model),
      particles_(options.smc.particles),
      seed_(static_cast<std::uint64_t>(options.run.seed)),
      filter_(model.latent, options.smc, comm, trials, times) {
  if (model.encoder) encoder_.emplace(options.encoder, *model.encoder, model.latent, comm, trials, times);
}

template <class T>
smc::FilterData Objective<T>::data_of(std::span<const double> parameters, const Batch& batch, bool record) {
  auto data = batch.filter_data();
  if (encoder_) data.guides = encoder_->guides(parameters, data, record);
  return data;
}

template <class T>
Evaluation Objective<T>::evaluate(const smc::FilterResult& result, const Batch& batch) const {
  Evaluation evaluation{.steps = batch.observed_steps()};
  const auto observed = batch.observed();
  for (std::size_t i = 0; i < observed.size(); ++i) {
    if (observed[i] == 0) continue;
    evaluation.log_likelihood += result.log_likelihood[i];
    evaluation.sample_size += result.sample_size[i] / static_cast<double>(particles_);
  }
  return evaluation;
}

template <class T>
Evaluation Objective<T>::value(std::span<const double> parameters, const Batch& batch, std::uint64_t iteration) {
  const auto data = data_of(parameters, batch, false);
  return evaluate(filter_.run(parameters, data, {.seed = seed_, .iteration = iteration}), batch);
}

template <class T>
Evaluation Objective<T>::gradient(std::span<const double> parameters, const Batch& batch, std::uint64_t iteration,
                                  std::span<double> descent) {
  const auto data = data_of(parameters, batch, true);
  const double scale = -1 / static_cast<double>(std::max<std::int64_t>(batch.observed_steps(), 1));
  const auto found = filter_.gradient(parameters, data, {.seed = seed_, .iteration = iteration}, scale);
  std::ranges::copy(found.parameters, descent.begin());
  if (encoder_) encoder_->add_gradient(found.guides, descent);
  require_finite(descent, model_.latent.layout());
  return evaluate(found.result, batch);
}

template class Objective<float>;
template class Objective<double>;

}  // namespace rankflow::fit
