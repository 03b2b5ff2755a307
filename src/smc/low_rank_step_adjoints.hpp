#pragma once
#include <cstdint>
#include <vector>

#include "ad/aligned.hpp"
#include "smc/low_rank_step.hpp"

namespace rankflow::smc {

/// The backward pass through many applications of one step to several blocks. While the weights' sums of all blocks fit
/// the cache, potentials and slopes are computed once for both adjoints (at R = 3 and clipped ReLU in two thirds of the
/// time); otherwise low_rank_step_adjoint runs at once and low_rank_weight_adjoints in finish(). The bits are the same.
template <class T>
class StepAdjoints {
 public:
  /// For steps of N neurons, Q states and R ranks, applied to each block at most `applications` times.
  StepAdjoints(std::int64_t neurons, std::int64_t states, std::int64_t rank, std::int64_t blocks,
               std::int64_t applications);

  /// zeta_adjoint[Q][lanes] += (d out / d zeta)^T out_adjoint, of the counted lanes; the weights' adjoints are kept.
  /// The weights and the record's arrays must stay as they are until finish(). Weights of other sizes: InternalError.
  void add(const PreparedStep<T>& weights, std::int64_t block, const StepRecord<T>& record, T* zeta_adjoint);
  /// Adds the weights' adjoints of the block, and forgets them.
  void finish(const PreparedStep<T>& weights, std::int64_t block, const StepWeightAdjoints<T>& adjoints);

  [[nodiscard]] bool at_once() const noexcept { return at_once_; }

 private:
  struct Block {
    std::vector<StepRecord<T>> records;  ///< of all applications, unless at once
    std::int64_t applications = 0;       ///< that `sums` holds
    ad::AlignedVector<T> sums;           ///< [N][Q + R + 1][vector]
    std::vector<T> totals;               ///< [N][Q + R + 1], of the applications before
  };
  void add_sums(Block& block) const;
  void check(const PreparedStep<T>& weights) const;

  std::int64_t neurons_, states_, rank_;
  bool at_once_;
  std::vector<Block> blocks_;
};

}  // namespace rankflow::smc
