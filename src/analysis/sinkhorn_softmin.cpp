#include "analysis/sinkhorn_softmin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <xsimd/xsimd.hpp>

namespace rankflow::analysis {
namespace {

/// Terms below exp(-38) = 3e-17 of the largest one change no sum of a few thousand of them in double precision.
constexpr double negligible_exponent = 38.0;

std::vector<double> relative_to(const PointCloud& cloud, std::span<const double> origin, std::int64_t begin,
                                std::int64_t end) {
  std::vector<double> values;
  for (std::int64_t i = begin; i < end; ++i)
    for (std::size_t k = 0; k < origin.size(); ++k) values.push_back(cloud.point(i)[k] - origin[k]);
  return values;
}

std::vector<double> half_squares(const std::vector<double>& points, std::size_t dimensions) {
  std::vector<double> norms(points.size() / dimensions, 0.0);
  for (std::size_t i = 0; i < points.size(); ++i) norms[i / dimensions] += 0.5 * points[i] * points[i];
  return norms;
}

}  // namespace

template <class T>
SoftMinimum<T>::SoftMinimum(const PointCloud& rows, const PointCloud& columns, std::span<const double> origin,
                            const parallel::Communicator& comm)
    : comm_(comm), dimensions_(rows.dimensions), count_(columns.count) {
  constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);
  padded_ = (count_ + width - 1) / width * width;
  for (int r = 0; r < comm.size(); ++r)
    shares_.push_back(rows.count * (r + 1) / comm.size() - rows.count * r / comm.size());
  begin_ = rows.count * comm.rank() / comm.size();
  end_ = begin_ + shares_[static_cast<std::size_t>(comm.rank())];
  const auto dimensions = static_cast<std::size_t>(dimensions_);
  rows_ = relative_to(rows, origin, begin_, end_);
  row_norms_ = half_squares(rows_, dimensions);
  const auto places = relative_to(columns, origin, 0, count_);
  column_norms_ = half_squares(places, dimensions);
  columns_.assign(dimensions * static_cast<std::size_t>(padded_), T(0));
  for (std::size_t j = 0; j < column_norms_.size(); ++j)
    for (std::size_t k = 0; k < dimensions; ++k)
      columns_[k * static_cast<std::size_t>(padded_) + j] = static_cast<T>(places[j * dimensions + k]);
  // Padding never is the largest term and adds nothing.
  heights_.assign(static_cast<std::size_t>(padded_), std::numeric_limits<T>::lowest());
  exponents_.resize(static_cast<std::size_t>(padded_));
  own_.resize(static_cast<std::size_t>(end_ - begin_));
}

/// log Σ_j exp(height_j + x_i · y_j / ε).
template <class T>
double SoftMinimum<T>::row(std::int64_t i, double inverse) noexcept {
  using Batch = xsimd::batch<T>;
  constexpr auto width = static_cast<std::int64_t>(Batch::size);
  const double* point = rows_.data() + i * dimensions_;
  Batch largest(std::numeric_limits<T>::lowest());
  for (std::int64_t j = 0; j < padded_; j += width) {
    Batch exponent = Batch::load_unaligned(heights_.data() + j);
    for (int k = 0; k < dimensions_; ++k)
      exponent = xsimd::fma(Batch(static_cast<T>(point[k] * inverse)),
                            Batch::load_unaligned(columns_.data() + k * padded_ + j), exponent);
    exponent.store_unaligned(exponents_.data() + j);
    largest = xsimd::max(largest, exponent);
  }
  T top = std::numeric_limits<T>::lowest();
  for (std::size_t lane = 0; lane < Batch::size; ++lane) top = std::max(top, largest.get(lane));
  const Batch threshold(top - static_cast<T>(negligible_exponent));
  Batch sum(T(0));
  for (std::int64_t j = 0; j < padded_; j += width) {
    const Batch exponent = Batch::load_unaligned(exponents_.data() + j);
    // Transport plans are nearly sparse: most registers hold nothing that counts.
    // Equal to it where exponents are so large that 38 is below their rounding.
    if (xsimd::any(exponent >= threshold)) sum += xsimd::exp(exponent - Batch(top));
  }
  return static_cast<double>(top) + std::log(static_cast<double>(xsimd::hadd(sum)));
}

template <class T>
void SoftMinimum<T>::apply(double epsilon, std::span<const double> potential, std::span<double> result) {
  const double inverse = 1.0 / epsilon;
  for (std::size_t j = 0; j < column_norms_.size(); ++j)
    heights_[j] = static_cast<T>((potential[j] - column_norms_[j]) * inverse);
  const double mass = std::log(static_cast<double>(count_));
  for (std::size_t i = 0; i < own_.size(); ++i)
    own_[i] = row_norms_[i] - epsilon * (row(static_cast<std::int64_t>(i), inverse) - mass);
  comm_.all_gather(std::span<const double>(own_), result, shares_);
}

template class SoftMinimum<float>;
template class SoftMinimum<double>;

}  // namespace rankflow::analysis
