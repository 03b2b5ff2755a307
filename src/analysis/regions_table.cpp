#include "analysis/regions_table.hpp"

#include <cmath>

namespace rankflow::analysis {
namespace {

using Batch = xsimd::batch<double>;
constexpr std::size_t kinks_at_once = 64;  ///< kinks between two looks of inside(); a multiple of Batch::size

/// sum_k f(k) over whole registers.
template <class Function>
double sum_over(std::size_t count, Function f) {
  Batch sum(0.0);
  for (std::size_t k = 0; k < count; k += Batch::size) sum += f(k);
  return xsimd::hadd(sum);
}

}  // namespace

KinkTable::KinkTable(const KinkedSystem& system)
    : dimension_(system.dimension()),
      outputs_(system.outputs()),
      count_(system.kinks()),
      linear_(system.linear),
      constant_(system.constant),
      length_(system.length()),
      steepness_(system.steepness()) {
  const auto padded_count = (static_cast<std::size_t>(count_) + kinks_at_once - 1) / kinks_at_once * kinks_at_once;
  thresholds_.assign(padded_count, 1.0);
  normals_.assign(static_cast<std::size_t>(dimension_), Column(padded_count, 0.0));
  weights_.assign(static_cast<std::size_t>(outputs_), Column(padded_count, 0.0));
  for (std::int64_t k = 0; k < count_; ++k) {
    const auto place = static_cast<std::size_t>(k);
    const auto normal_k = system.normal(k);
    const auto weight_k = system.weight(k);
    thresholds_[place] = system.thresholds[place];
    for (int i = 0; i < dimension_; ++i) normals_[static_cast<std::size_t>(i)][place] = normal_k[i];
    for (int i = 0; i < outputs_; ++i) weights_[static_cast<std::size_t>(i)][place] = weight_k[i];
  }
}

SmallVector KinkTable::normal(std::size_t kink) const {
  SmallVector values(dimension_);
  for (int i = 0; i < dimension_; ++i) values[i] = normals_[static_cast<std::size_t>(i)][kink];
  return values;
}

SmallVector KinkTable::weight(std::size_t kink) const {
  SmallVector values(outputs_);
  for (int i = 0; i < outputs_; ++i) values[i] = weights_[static_cast<std::size_t>(i)][kink];
  return values;
}

double KinkTable::tolerance(const SmallVector& x) const {
  return boundary_tolerance * (x.lpNorm<Eigen::Infinity>() + length_);
}

void KinkTable::heights(const SmallVector& x, double* heights) const {
  for (std::size_t k = 0; k < padded(); k += Batch::size) {
    Batch height = -Batch::load_aligned(thresholds_.data() + k);
    for (int i = 0; i < dimension_; ++i)
      height = xsimd::fma(Batch::load_aligned(normals_[static_cast<std::size_t>(i)].data() + k), Batch(x[i]), height);
    height.store_aligned(heights + k);
  }
}

void KinkTable::slopes(const SmallVector& direction, double* slopes) const {
  for (std::size_t k = 0; k < padded(); k += Batch::size) {
    Batch slope(0.0);
    for (int i = 0; i < dimension_; ++i)
      slope =
          xsimd::fma(Batch::load_aligned(normals_[static_cast<std::size_t>(i)].data() + k), Batch(direction[i]), slope);
    slope.store_aligned(slopes + k);
  }
}

SmallVector KinkTable::value(const SmallVector& x, const double* heights) const {
  SmallVector result = linear_ * x + constant_;
  for (int i = 0; i < outputs_; ++i) {
    const double* column = weights(i).data();
    result[i] += sum_over(padded(), [&](std::size_t k) {
      return Batch::load_aligned(column + k) * xsimd::max(Batch(0.0), Batch::load_aligned(heights + k));
    });
  }
  return result;
}

void KinkTable::add_active(const double* active, SmallMatrix& linear, SmallVector& constant) const {
  for (int i = 0; i < outputs_; ++i) {
    const double* column = weights(i).data();
    const auto sum_with = [&](const Column& other) {
      return sum_over(padded(), [&](std::size_t k) {
        return Batch::load_aligned(column + k) * Batch::load_aligned(active + k) *
               Batch::load_aligned(other.data() + k);
      });
    };
    for (int j = 0; j < dimension_; ++j) linear(i, j) += sum_with(normals_[static_cast<std::size_t>(j)]);
    constant[i] -= sum_with(thresholds_);
  }
}

void KinkTable::divide(const double* heights, double near, double* active, double* sides,
                       std::vector<std::size_t>& touching) const {
  const Batch one(1.0);
  const Batch none(0.0);
  for (std::size_t begin = 0; begin < padded(); begin += Batch::size) {
    const auto height = Batch::load_aligned(heights + begin);
    const auto above = xsimd::select(height > Batch(near), one, none);
    above.store_aligned(active + begin);
    (above - xsimd::select(height < Batch(-near), one, none)).store_aligned(sides + begin);
    if (!xsimd::any(xsimd::abs(height) <= Batch(near))) continue;
    for (std::size_t k = begin; k < begin + Batch::size; ++k)
      if (std::abs(heights[k]) <= near) touching.push_back(k);
  }
}

bool KinkTable::inside(const SmallVector& x, const double* sides, double tolerance) const {
  for (std::size_t begin = 0; begin < padded(); begin += kinks_at_once) {
    Batch least(0.0);
    for (std::size_t k = begin; k < begin + kinks_at_once; k += Batch::size) {
      Batch height = -Batch::load_aligned(thresholds_.data() + k);
      for (int i = 0; i < dimension_; ++i)
        height = xsimd::fma(Batch::load_aligned(normals_[static_cast<std::size_t>(i)].data() + k), Batch(x[i]), height);
      least = xsimd::min(least, height * Batch::load_aligned(sides + k));
    }
    if (xsimd::any(least < Batch(-tolerance))) return false;
  }
  return true;
}

}  // namespace rankflow::analysis
