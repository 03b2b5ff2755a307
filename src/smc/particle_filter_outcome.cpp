#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "smc/particle_filter_state.hpp"

namespace rankflow::smc {

namespace {}  // namespace

double FilterResult::total() const {
  double sum = 0;
  for (const double value : log_likelihood) sum += value;
  return sum;
}

/// Remembers the first failure; all ranks go on with the pass and agree on it at the end.
template <class T>
void ParticleFilter<T>::Implementation::note_failure(std::int64_t time) {
  if (failure_at_ != no_failure) return;
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const Block& which = block(local);
    for (std::int64_t t = 0; t < which.trials; ++t) {
      if (!weights_.is_broken(which.first_trial + t)) continue;
      bool finite = true;
      for (std::int64_t r = 0; r < rank_; ++r)
        for (std::int64_t k = 0; k < which.particles; ++k)
          finite = finite && std::isfinite(slice(time).zeta[(local * states_ + r) * L + t * which.particles + k]);
      const std::int64_t key = 2 * (time * layout_.trials() + which.first_trial + t) + (finite ? 1 : 0);
      failure_at_ = std::min(failure_at_, key);
    }
  }
}

template <class T>
void ParticleFilter<T>::Implementation::throw_failure(std::int64_t key) const {
  const std::int64_t trial = key / 2 % layout_.trials();
  const std::int64_t time = key / 2 / layout_.trials();
  if (key % 2 == 0)
    throw NumericalError("a latent state is not finite in trial {} at step {}: the dynamics diverge", trial, time);
  throw NumericalError(
      "all particles of trial {} have weight zero at step {}: none of them explains the observation; more particles, a "
      "better proposal or a larger observation noise may help",
      trial, time);
}

/// What all ranks found, in one message: its first failure, then log-likelihood and sample size of its own trials.
template <class T>
FilterResult ParticleFilter<T>::Implementation::collect() const {
  std::vector<std::int64_t> counts;
  counts.reserve(static_cast<std::size_t>(layout_.ranks()));
  const auto rows_of = [this](int r) {
    return (layout_.first_owned_trial(r + 1) - layout_.first_owned_trial(r)) * times_;
  };
  for (int r = 0; r < layout_.ranks(); ++r) counts.push_back(1 + 2 * rows_of(r));
  const std::int64_t mine = rows_of(layout_.rank());
  const std::int64_t from = mine == 0 ? 0 : local_trial(layout_.first_owned_trial(layout_.rank())) * times_;
  std::vector<double> message{failure_at_ == no_failure ? std::numeric_limits<double>::infinity()
                                                        : static_cast<double>(failure_at_)};
  for (const auto* found : {&log_likelihood_, &sample_size_})
    message.insert(message.end(), found->begin() + from, found->begin() + from + mine);
  std::vector<double> all(static_cast<std::size_t>(2 * layout_.trials() * times_ + layout_.ranks()));
  comm_.all_gather<double>(message, all, counts);

  FilterResult result;
  double failure = std::numeric_limits<double>::infinity();
  auto part = all.cbegin();
  for (int r = 0; r < layout_.ranks(); ++r) {
    failure = std::min(failure, *part++);
    for (auto* found : {&result.log_likelihood, &result.sample_size}) {
      found->insert(found->end(), part, part + rows_of(r));
      part += rows_of(r);
    }
  }
  if (std::isfinite(failure)) throw_failure(static_cast<std::int64_t>(failure));
  return result;
}

// NOLINTBEGIN(bugprone-macro-parentheses): types stand alone
#define RANKFLOW_INSTANTIATE(T)                                                       \
  template void ParticleFilter<T>::Implementation::note_failure(std::int64_t);        \
  template void ParticleFilter<T>::Implementation::throw_failure(std::int64_t) const; \
  template FilterResult ParticleFilter<T>::Implementation::collect() const;
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace rankflow::smc
