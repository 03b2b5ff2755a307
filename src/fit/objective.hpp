#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fit/batches.hpp"
#include "fit/encoder.hpp"
#include "fit/fit_model.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow::fit {

/// What a filter says about one batch, or about several.
struct Evaluation {
  double log_likelihood = 0;  ///< sum over the observed steps
  double sample_size = 0;     ///< sum of effective sample sizes over the same, as shares of K
  std::int64_t steps = 0;

  double per_step() const { return log_likelihood / static_cast<double>(steps); }
  double mean_sample_size() const { return sample_size / static_cast<double>(steps); }
  Evaluation& operator+=(const Evaluation& other);
};

/// The variational objective of a batch: the particle filter's log-likelihood estimate per observed time step, seen as
/// a function of the flat parameter vector. Collective throughout.
template <class T>
class Objective {
 public:
  /// For batches of this shape; `model` and `comm` must outlive it.
  Objective(const FitModel& model, const config::FitVsmcOptions& options, const parallel::Communicator& comm,
            std::int64_t trials, std::int64_t times);

  /// The value alone. Throws NumericalError as ParticleFilter does.
  Evaluation value(std::span<const double> parameters, const Batch& batch, std::uint64_t iteration);
  /// The value, and the gradient of its negative. Throws NumericalError also when the gradient is not finite, naming
  /// the parameter.
  Evaluation gradient(std::span<const double> parameters, const Batch& batch, std::uint64_t iteration,
                      std::span<double> descent);

  const smc::ParticleLayout& layout() const noexcept { return filter_.layout(); }

 private:
  smc::FilterData data_of(std::span<const double> parameters, const Batch& batch, bool record);
  Evaluation evaluate(const smc::FilterResult& result, const Batch& batch) const;

  const FitModel& model_;
  std::int64_t particles_;
  std::uint64_t seed_;
  smc::ParticleFilter<T> filter_;
  std::optional<Encoder<T>> encoder_;
};

}  // namespace rankflow::fit
