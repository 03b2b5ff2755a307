#include "smc/low_rank_step_adjoints.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "smc/low_rank_step_kernels.hpp"
#include "smc/low_rank_step_loops.hpp"

namespace rankflow::smc {
namespace {

/// The second-level cache of a current core.
constexpr std::int64_t cache_bytes = std::int64_t{2} << 20;

}  // namespace

template <class T>
StepAdjoints<T>::StepAdjoints(std::int64_t neurons, std::int64_t states, std::int64_t rank, std::int64_t blocks,
                              std::int64_t applications)
    : neurons_(neurons), states_(states), rank_(rank), blocks_(static_cast<std::size_t>(blocks)) {
  const std::int64_t weights = neurons * (states + rank + 1);
  const std::int64_t bytes = blocks * weights * vector_width<T> * static_cast<std::int64_t>(sizeof(T));
  at_once_ = std::max(states, rank) <= row_limit && bytes <= cache_bytes;
  for (Block& block : blocks_) {
    if (at_once_) {
      block.sums.assign(static_cast<std::size_t>(weights * vector_width<T>), T(0));
      block.totals.assign(static_cast<std::size_t>(weights), T(0));
    } else {
      block.records.reserve(static_cast<std::size_t>(applications));
    }
  }
}

template <class T>
void StepAdjoints<T>::check(const PreparedStep<T>& weights) const {
  if (weights.neurons() != neurons_ || weights.states() != states_ || weights.rank() != rank_)
    throw InternalError(
        "low-rank step: {} neurons, {} states and rank {}, but its adjoints were made for {}, {} and {}",
        weights.neurons(), weights.states(), weights.rank(), neurons_, states_, rank_);
}

template <class T>
void StepAdjoints<T>::add(const PreparedStep<T>& weights, std::int64_t block, const StepRecord<T>& record,
                          T* zeta_adjoint) {
  check(weights);
  Block& own = blocks_[static_cast<std::size_t>(block)];
  if (!at_once_) {
    low_rank_step_adjoint(weights, record.zeta, record.out_adjoint, record.lanes, zeta_adjoint);
    own.records.push_back(record);
    return;
  }
  check_lanes(record.lanes);
  kernels_for(weights).both(weights, record, zeta_adjoint, own.sums.data());
  // Where low_rank_weight_adjoints adds the lanes of a tile of records.
  if (++own.applications == tile_records) add_sums(own);
}

/// Adds the lanes of the sums to the totals.
template <class T>
void StepAdjoints<T>::add_sums(Block& block) const {
  using B = xsimd::batch<T>;
  for (std::size_t k = 0; k < block.totals.size(); ++k) {
    T* const sum = block.sums.data() + k * B::size;
    block.totals[k] += xsimd::hadd(B::load_aligned(sum));
    B(T(0)).store_aligned(sum);
  }
  block.applications = 0;
}

template <class T>
void StepAdjoints<T>::finish(const PreparedStep<T>& weights, std::int64_t block,
                             const StepWeightAdjoints<T>& adjoints) {
  check(weights);
  Block& own = blocks_[static_cast<std::size_t>(block)];
  if (!at_once_) {
    low_rank_weight_adjoints<T>(weights, own.records, adjoints);
    own.records.clear();
    return;
  }
  check_adjoints(weights, adjoints);
  if (own.applications > 0) add_sums(own);
  const T* from = own.totals.data();
  for (std::int64_t i = 0; i < weights.neurons(); ++i) {
    for (std::int64_t q = 0; q < states_; ++q) adjoints.m[static_cast<std::size_t>(i * states_ + q)] += *from++;
    const T sign = weights.sign(i);
    for (std::int64_t r = 0; r < rank_; ++r) adjoints.n[static_cast<std::size_t>(i * rank_ + r)] += sign * *from++;
    adjoints.bias[static_cast<std::size_t>(i)] += sign * *from++;
  }
  std::fill(own.totals.begin(), own.totals.end(), T(0));
}

template class StepAdjoints<float>;
template class StepAdjoints<double>;

}  // namespace rankflow::smc
