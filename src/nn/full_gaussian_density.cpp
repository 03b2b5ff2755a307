#include <cmath>

#include "nn/densities.hpp"
#include "nn/rows.hpp"

namespace rankflow::nn {
namespace {

/// Solves L y = b in place.
template <class T>
void solve_forward(const T* triangle, std::int64_t size, T* b) {
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j < i; ++j) b[i] -= triangle[triangle_index(i, j)] * b[j];
    b[i] /= triangle[triangle_index(i, i)];
  }
}

/// Solves L^T y = b in place.
template <class T>
void solve_backward(const T* triangle, std::int64_t size, T* b) {
  for (std::int64_t i = size; i-- > 0;) {
    b[i] /= triangle[triangle_index(i, i)];
    for (std::int64_t j = 0; j < i; ++j) b[j] -= triangle[triangle_index(i, j)] * b[i];
  }
}

/// Work space for the observed part of one row.
template <class T>
struct Work {
  std::int64_t* observed;  ///< which columns
  T* solved;               ///< C^-1 (x - mean), then Sigma^-1 (x - mean)
  T* triangle;             ///< C: C C^T = Sigma, the covariance of the observed columns
  T* row;
};

template <class T>
Work<T> make_work(ad::Arena& arena, std::int64_t size) {
  return {arena.allocate<std::int64_t>(size), arena.allocate<T>(size), arena.allocate<T>(triangle_size(size)),
          arena.allocate<T>(size)};
}

/// C from the rows of L that are observed: where all are, it is L itself; else the covariance is factorised anew.
template <class T>
void observed_triangle(const T* cholesky, std::int64_t size, std::int64_t count, const Work<T>& work) {
  if (count == size) {
    std::copy_n(cholesky, triangle_size(size), work.triangle);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      const std::int64_t a = work.observed[i];
      const std::int64_t b = work.observed[j];
      T sum(0);
      for (std::int64_t k = 0; k <= b; ++k) sum += cholesky[triangle_index(a, k)] * cholesky[triangle_index(b, k)];
      for (std::int64_t k = 0; k < j; ++k)
        sum -= work.triangle[triangle_index(i, k)] * work.triangle[triangle_index(j, k)];
      work.triangle[triangle_index(i, j)] = i == j ? std::sqrt(sum) : sum / work.triangle[triangle_index(j, j)];
    }
}

/// Finds what is observed in a row, its triangle C and C^-1 (x - mean); returns how many columns.
template <class T>
std::int64_t standardise(const T* x, const T* mean, const T* cholesky, std::int64_t size, const Work<T>& work) {
  std::int64_t count = 0;
  for (std::int64_t c = 0; c < size; ++c) {
    if (std::isnan(x[c])) continue;
    work.solved[count] = x[c] - mean[c];
    work.observed[count++] = c;
  }
  observed_triangle(cholesky, size, count, work);
  solve_forward(work.triangle, count, work.solved);
  return count;
}

template <class T>
T log_density(std::int64_t count, const Work<T>& work) {
  T sum(0);
  for (std::int64_t i = 0; i < count; ++i)
    sum -= T(0.5) * work.solved[i] * work.solved[i] + std::log(work.triangle[triangle_index(i, i)]) +
           static_cast<T>(half_log_two_pi);
  return sum;
}

/// The observed rows of (Sigma^-1 L) in one column, from its diagonal down, into work.row.
template <class T>
void precision_times_column(const T* cholesky, std::int64_t size, std::int64_t count, std::int64_t column,
                            const Work<T>& work) {
  if (count == size) {  // Sigma^-1 L = L^-T is upper triangular
    std::fill_n(work.row, size, T(0));
    work.row[column] = T(1) / cholesky[triangle_index(column, column)];
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t a = work.observed[i];
    work.row[i] = column <= a ? cholesky[triangle_index(a, column)] : T(0);
  }
  solve_forward(work.triangle, count, work.row);
  solve_backward(work.triangle, count, work.row);
}

/// Adds d/dL, L of all rows. With s = Sigma^-1 (x - mean) in work.solved: d/dSigma = (s s^T - Sigma^-1) / 2 and
/// Sigma = L_o L_o^T with the observed rows L_o give (s s^T - Sigma^-1) L_o.
template <class T>
void add_triangle_adjoint(const T* cholesky, std::int64_t size, std::int64_t count, T given, const Work<T>& work,
                          T* adjoint) {
  for (std::int64_t column = 0; column <= work.observed[count - 1]; ++column) {
    T projection(0);
    for (std::int64_t i = 0; i < count; ++i)
      if (column <= work.observed[i]) projection += work.solved[i] * cholesky[triangle_index(work.observed[i], column)];
    precision_times_column(cholesky, size, count, column, work);
    for (std::int64_t i = 0; i < count; ++i)
      if (column <= work.observed[i])
        adjoint[triangle_index(work.observed[i], column)] += given * (work.solved[i] * projection - work.row[i]);
  }
}

/// The operation, kept for the way back.
template <class T>
struct DensityPass {
  ad::Array<T> x, mean, triangle, density;
  T* cholesky;          ///< the triangle with the exponential of its diagonal
  T* cholesky_adjoint;  ///< adjoints of this
  Work<T> work;

  std::int64_t size() const { return x.columns; }
  std::int64_t standardise_row(std::int64_t i) const {
    return standardise(row_of(x.value, x, i), row_of(mean.value, mean, i), cholesky, size(), work);
  }
};

template <class T>
void backward_row(const DensityPass<T>& p, std::int64_t i) {
  const T given = p.density.adjoint[i];
  const auto count = p.standardise_row(i);
  if (count == 0) return;
  solve_backward(p.work.triangle, count, p.work.solved);
  for (std::int64_t k = 0; k < count; ++k) {
    const auto column = p.work.observed[k];
    if (p.x.has_adjoint()) row_of(p.x.adjoint, p.x, i)[column] -= given * p.work.solved[k];
    if (p.mean.has_adjoint()) row_of(p.mean.adjoint, p.mean, i)[column] += given * p.work.solved[k];
  }
  if (p.triangle.has_adjoint()) add_triangle_adjoint(p.cholesky, p.size(), count, given, p.work, p.cholesky_adjoint);
}

template <class T>
void backward(const DensityPass<T>& p) {
  for (std::int64_t i = 0; i < p.density.rows; ++i) backward_row(p, i);
  if (!p.triangle.has_adjoint()) return;
  for (std::int64_t i = 0; i < p.size(); ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      const auto at = triangle_index(i, j);
      p.triangle.adjoint[at] += p.cholesky_adjoint[at] * (i == j ? p.cholesky[at] : T(1));
    }
}

}  // namespace

template <class T>
ad::Array<T> gaussian_log_density_full(ad::Tape& tape, const ad::Array<T>& x, const ad::Array<T>& mean,
                                       const ad::Array<T>& triangle) {
  const std::int64_t size = x.columns;
  const std::int64_t rows = common_rows("a Gaussian density of full covariance", size, x, mean);
  if (triangle.size() != triangle_size(size))
    throw InternalError("a Gaussian density of {} columns with a triangle of {} numbers", size, triangle.size());
  const bool differentiated = x.has_adjoint() || mean.has_adjoint() || triangle.has_adjoint();
  const auto density = tape.array<T>(rows, 1, differentiated);
  auto& arena = tape.arena();
  const DensityPass<T> pass{x,
                            mean,
                            triangle,
                            density,
                            arena.allocate<T>(triangle.size()),
                            arena.zeros<T>(triangle.size()),
                            make_work<T>(arena, size)};
  std::copy_n(triangle.value, triangle.size(), pass.cholesky);
  for (std::int64_t i = 0; i < size; ++i) {
    const auto diagonal = triangle_index(i, i);
    pass.cholesky[diagonal] = std::exp(triangle.value[diagonal]);
  }
  for (std::int64_t i = 0; i < rows; ++i) density.value[i] = log_density(pass.standardise_row(i), pass.work);
  if (density.has_adjoint()) tape.record([pass] { backward(pass); });
  return density;
}

template ad::Array<float> gaussian_log_density_full(ad::Tape&, const ad::Array<float>&, const ad::Array<float>&,
                                                    const ad::Array<float>&);
template ad::Array<double> gaussian_log_density_full(ad::Tape&, const ad::Array<double>&, const ad::Array<double>&,
                                                     const ad::Array<double>&);

}  // namespace rankflow::nn
