#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "fit/batches.hpp"
#include "fit/objective.hpp"

namespace rankflow::fit {

/// The objective over all training data at once, with random numbers that are always the same: a function of the
/// parameters that a minimiser can trust but for the jumps where ancestors change.
template <class T>
class FullBatch {
 public:
  /// The windows are filtered `trials` at a time, `times` steps each; objective and data must outlive it.
  FullBatch(Objective<T>& objective, const DataSet& data, std::vector<Stretch> windows, std::int64_t trials,
            std::int64_t times);

  /// The value, and the gradient of the negative log-likelihood per step. Collective. Throws NumericalError as
  /// Objective does.
  Evaluation gradient(std::span<const double> parameters, std::span<double> descent);

 private:
  Objective<T>& objective_;
  std::vector<Stretch> windows_;
  Batch batch_;
  std::vector<double> part_;
};

}  // namespace rankflow::fit
