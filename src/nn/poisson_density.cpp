#include <cmath>

#include "nn/densities.hpp"
#include "nn/lanes.hpp"
#include "nn/link.hpp"
#include "nn/rows.hpp"

namespace rankflow::nn {
namespace {

/// Sum of log(counts!) over what was observed in a row.
template <class T>
T log_factorials(const T* counts, std::int64_t columns) {
  T sum(0);
  for (std::int64_t c = 0; c < columns; ++c)
    if (!std::isnan(counts[c])) sum += static_cast<T>(std::lgamma(static_cast<double>(counts[c]) + 1.0));
  return sum;
}

}  // namespace

template <class T>
ad::Array<T> poisson_log_density(ad::Tape& tape, const ad::Array<T>& counts, const ad::Array<T>& s, config::Link link) {
  using Batch = xsimd::batch<T>;
  const std::int64_t rows = common_rows("a Poisson density", s.columns, counts, s);
  if (counts.has_adjoint()) throw InternalError("a Poisson density is not differentiated by its counts");
  const auto density = tape.array<T>(rows, 1, s.has_adjoint());
  T level(0);
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* const observed = row_of(counts.value, counts, i);
    if (i < counts.rows) level = log_factorials(observed, counts.columns);
    T sum(0);
    for_lanes<T>(s.columns, [&](auto lanes) {
      const Batch k = lanes.load(observed);
      const Batch predictor = lanes.load(row_of(s.value, s, i));
      const Batch mass = with_link(link, [&](auto form) { return poisson_log_mass<decltype(form)>(k, predictor); });
      sum += lanes.sum(xsimd::select(xsimd::isnan(k), Batch(T(0)), mass));
    });
    density.value[i] = sum - level;
  }
  if (!density.has_adjoint()) return density;
  tape.record([=] {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Batch given(density.adjoint[i]);
      for_lanes<T>(s.columns, [&](auto lanes) {
        const Batch k = lanes.load(row_of(counts.value, counts, i));
        const Batch predictor = lanes.load(row_of(s.value, s, i));
        const Batch slope = with_link(link, [&](auto form) {
          return poisson_log_mass_slope<decltype(form)>(k, predictor, form.mean(predictor));
        });
        lanes.add(row_of(s.adjoint, s, i), xsimd::select(xsimd::isnan(k), Batch(T(0)), given * slope));
      });
    }
  });
  return density;
}

template ad::Array<float> poisson_log_density(ad::Tape&, const ad::Array<float>&, const ad::Array<float>&,
                                              config::Link);
template ad::Array<double> poisson_log_density(ad::Tape&, const ad::Array<double>&, const ad::Array<double>&,
                                               config::Link);

}  // namespace rankflow::nn
