#pragma once
#include "ad/tape.hpp"
#include "config/simulate_options.hpp"

/// Log-densities on the tape: result [rows, 1], the logarithm of the density of each row. Operands have `rows` rows, or
/// one row that stands for all. An observation that is NaN drops out: its row keeps the density of the others. float
/// and double. Shapes that do not fit throw InternalError.
namespace rankflow::nn {

inline constexpr double half_log_two_pi = 0.91893853320467274178;

/// Independent Gaussians: sum over c of log N(x_c; mean_c, exp(log_std_c)^2).
template <class T>
ad::Array<T> gaussian_log_density(ad::Tape& tape, const ad::Array<T>& x, const ad::Array<T>& mean,
                                  const ad::Array<T>& log_std);

/// Numbers of a lower triangle of R rows: the rows one after the other, (0,0), (1,0), (1,1), ...
constexpr std::int64_t triangle_size(std::int64_t rows) {
  return rows * (rows + 1) / 2;
}
/// Position of (row, column), column <= row.
constexpr std::int64_t triangle_index(std::int64_t row, std::int64_t column) {
  return row * (row + 1) / 2 + column;
}

/// log N(x; mean, L L^T). `triangle` [1, R (R + 1) / 2]: L below its diagonal, and the logarithm of its diagonal. What
/// remains of a row with NaN has the marginal density.
template <class T>
ad::Array<T> gaussian_log_density_full(ad::Tape& tape, const ad::Array<T>& x, const ad::Array<T>& mean,
                                       const ad::Array<T>& triangle);

/// Poisson counts: sum over c of counts_c log(mean_c) - mean_c - log(counts_c!), mean = link(s); counts without
/// adjoint. With the identity link a mean that is not positive gives a density that is not finite (or 0 for counts 0).
template <class T>
ad::Array<T> poisson_log_density(ad::Tape& tape, const ad::Array<T>& counts, const ad::Array<T>& s, config::Link link);

}  // namespace rankflow::nn
