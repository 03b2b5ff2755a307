#include "smc/posterior.hpp"

#include <array>

#include "smc/lane_sum.hpp"

namespace rankflow::smc {

namespace {}  // namespace

template <class T>
PosteriorMoments<T>::PosteriorMoments(const ParticleLayout& layout, const parallel::Communicator& comm,
                                      std::int64_t rank, std::int64_t times)
    : means_(layout, comm, rank),
      products_(layout, comm, rank * (rank + 1) / 2),
      centred_(static_cast<std::size_t>(rank * L)) {
  result_.first_trial = layout.first_owned_trial(layout.rank());
  result_.trials = layout.first_owned_trial(layout.rank() + 1) - result_.first_trial;
  result_.times = times;
  result_.rank = rank;
  const auto rows = static_cast<std::size_t>(result_.trials * times);
  result_.mean.resize(rows * static_cast<std::size_t>(rank));
  result_.covariance.resize(rows * static_cast<std::size_t>(rank * rank));
}

template <class T>
void PosteriorMoments<T>::add(const WeightedParticles<T>& particles) {
  add_means(particles);
  add_covariances(particles);
  const auto rank = static_cast<std::size_t>(result_.rank);
  for (std::int64_t trial = means_.first_trial(); trial < means_.end_trial(); ++trial) {
    if (!owned(trial)) continue;
    const std::size_t at = row(trial, particles.time);
    const auto mean = means_.sum(trial);
    const auto products = products_.sum(trial);
    for (std::size_t r = 0, pair = 0; r < rank; ++r) {
      result_.mean[at * rank + r] = mean[r];
      for (std::size_t q = 0; q <= r; ++q, ++pair) {
        result_.covariance[(at * rank + r) * rank + q] = products[pair];
        result_.covariance[(at * rank + q) * rank + r] = products[pair];
      }
    }
  }
}

template <class T>
void PosteriorMoments<T>::add_means(const WeightedParticles<T>& particles) {
  std::array<double, L> product{};
  for (std::size_t i = 0; i < means_.segments().size(); ++i) {
    const Segment& segment = means_.segments()[i];
    const T* states = particles.block_states(segment.local_block);
    const double* weights = particles.block_weights(segment.local_block);
    for (std::int64_t r = 0; r < result_.rank; ++r) {
      for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p)
        product[static_cast<std::size_t>(p)] = weights[p] * static_cast<double>(states[r * L + p]);
      means_.part(i)[static_cast<std::size_t>(r)] =
          lane_sum<double>(product.data(), {segment.first_lane, segment.end_lane()});
    }
  }
  means_.combine();
}

/// Around the mean, so that a covariance much smaller than it keeps its digits.
template <class T>
void PosteriorMoments<T>::add_covariances(const WeightedParticles<T>& particles) {
  std::array<double, L> product{};
  for (std::size_t i = 0; i < products_.segments().size(); ++i) {
    const Segment& segment = products_.segments()[i];
    const T* states = particles.block_states(segment.local_block);
    const double* weights = particles.block_weights(segment.local_block);
    const auto mean = means_.sum(segment.trial);
    std::size_t pair = 0;
    for (std::int64_t r = 0; r < result_.rank; ++r) {
      double* const row = centred_.data() + r * L;
      for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p)
        row[p] = static_cast<double>(states[r * L + p]) - mean[static_cast<std::size_t>(r)];
      for (std::int64_t q = 0; q <= r; ++q) {
        const double* const other = centred_.data() + q * L;
        for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p)
          product[static_cast<std::size_t>(p)] = weights[p] * row[p] * other[p];
        products_.part(i)[pair++] = lane_sum<double>(product.data(), {segment.first_lane, segment.end_lane()});
      }
    }
  }
  products_.combine();
}

template class PosteriorMoments<float>;
template class PosteriorMoments<double>;

}  // namespace rankflow::smc
