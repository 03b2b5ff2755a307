#include <numbers>

#include "nn/densities.hpp"
#include "nn/lanes.hpp"
#include "nn/rows.hpp"

namespace rankflow::nn {
namespace {

/// The deviation in standard deviations, and 1 where it is observed.
template <class T, class Lanes>
auto standardised(const Lanes& lanes, const T* x, const T* mean, const T* precision) {
  using Batch = xsimd::batch<T>;
  struct {
    xsimd::batch_bool<T> missing;
    Batch deviation;
  } result{xsimd::isnan(lanes.load(x)), {}};
  result.deviation =
      xsimd::select(result.missing, Batch(T(0)), (lanes.load(x) - lanes.load(mean)) * lanes.load(precision));
  return result;
}

}  // namespace

template <class T>
ad::Array<T> gaussian_log_density(ad::Tape& tape, const ad::Array<T>& x, const ad::Array<T>& mean,
                                  const ad::Array<T>& log_std) {
  using Batch = xsimd::batch<T>;
  const std::int64_t rows = common_rows("a Gaussian density", x.columns, x, mean, log_std);
  const auto density = tape.array<T>(rows, 1, x.has_adjoint() || mean.has_adjoint() || log_std.has_adjoint());
  T* const precision = tape.arena().allocate<T>(log_std.size());  // 1 / standard deviation
  for_lanes<T>(log_std.size(), [&](auto lanes) { lanes.store(precision, xsimd::exp(-lanes.load(log_std.value))); });
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* const log_stds = row_of(log_std.value, log_std, i);
    T sum(0);
    for_lanes<T>(x.columns, [&](auto lanes) {
      const auto s =
          standardised(lanes, row_of(x.value, x, i), row_of(mean.value, mean, i), row_of(precision, log_std, i));
      const Batch level = lanes.load(log_stds) + Batch(static_cast<T>(half_log_two_pi));
      const Batch half = Batch(T(0.5)) * s.deviation * s.deviation;
      sum -= lanes.sum(xsimd::select(s.missing, Batch(T(0)), half + level));
    });
    density.value[i] = sum;
  }
  if (!density.has_adjoint()) return density;
  tape.record([=] {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Batch given(density.adjoint[i]);
      for_lanes<T>(x.columns, [&](auto lanes) {
        const T* const precisions = row_of(precision, log_std, i);
        const auto s = standardised(lanes, row_of(x.value, x, i), row_of(mean.value, mean, i), precisions);
        const Batch pull = given * s.deviation * lanes.load(precisions);
        const Batch widen = given * (s.deviation * s.deviation - Batch(T(1)));
        if (x.has_adjoint()) lanes.add(row_of(x.adjoint, x, i), -pull);
        if (mean.has_adjoint()) lanes.add(row_of(mean.adjoint, mean, i), pull);
        if (log_std.has_adjoint())
          lanes.add(row_of(log_std.adjoint, log_std, i), xsimd::select(s.missing, Batch(T(0)), widen));
      });
    }
  });
  return density;
}

template ad::Array<float> gaussian_log_density(ad::Tape&, const ad::Array<float>&, const ad::Array<float>&,
                                               const ad::Array<float>&);
template ad::Array<double> gaussian_log_density(ad::Tape&, const ad::Array<double>&, const ad::Array<double>&,
                                                const ad::Array<double>&);

}  // namespace rankflow::nn
