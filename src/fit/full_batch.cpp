#include "fit/full_batch.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

/// Apart from the random numbers of minibatches and of judgements.
constexpr std::uint64_t first_iteration = std::uint64_t{1} << 62;

}  // namespace

template <class T>
FullBatch<T>::FullBatch(Objective<T>& objective, const DataSet& data, std::vector<Stretch> windows, std::int64_t trials,
                        std::int64_t times)
    : objective_(objective), windows_(std::move(windows)), batch_(trials, times, data) {}

template <class T>
Evaluation FullBatch<T>::gradient(std::span<const double> parameters, std::span<double> descent) {
  part_.resize(descent.size());
  std::ranges::fill(descent, 0.0);
  Evaluation sum;
  const auto size = static_cast<std::size_t>(batch_.trials());
  for (std::size_t first = 0; first < windows_.size(); first += size) {
    batch_.fill(std::span(windows_).subspan(first, std::min(size, windows_.size() - first)));
    const auto found = with_context("filtering all training data: " + batch_.describe(), [&] {
      return objective_.gradient(parameters, batch_, first_iteration + first / size, part_);
    });
    // Each part is per step of its own batch.
    for (std::size_t i = 0; i < part_.size(); ++i) descent[i] += static_cast<double>(found.steps) * part_[i];
    sum += found;
  }
  for (double& slope : descent) slope /= static_cast<double>(sum.steps);
  return sum;
}

template class FullBatch<float>;
template class FullBatch<double>;

}  // namespace rankflow::fit
