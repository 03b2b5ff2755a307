#include "connectivity/tile_products.hpp"

#include "model/fused_product.hpp"

namespace rankflow::connectivity {
namespace {

using Batch = xsimd::batch<double>;
constexpr auto batch_size = static_cast<std::int64_t>(Batch::size);
constexpr std::int64_t batches_at_once = 4;

double dot_of_lanes(const double* a, const double* b) {
  Batch sums[batches_at_once] = {Batch(0.0), Batch(0.0), Batch(0.0), Batch(0.0)};
  for (std::int64_t lane = 0; lane < parallel::tile_size; lane += batches_at_once * batch_size)
    for (std::int64_t k = 0; k < batches_at_once; ++k)
      sums[k] = model::fused(Batch::load_aligned(a + lane + k * batch_size),
                             Batch::load_aligned(b + lane + k * batch_size), sums[k]);
  return xsimd::hadd((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace

void add_weighted_features(const double* features, const Eigen::Ref<const Eigen::MatrixXd>& weights, double* n) {
  for (Eigen::Index r = 0; r < weights.cols(); ++r) {
    double* const column = n + r * parallel::tile_size;
    const double* const weight = weights.data() + r * weights.outerStride();
    for (std::int64_t lane = 0; lane < parallel::tile_size; lane += batches_at_once * batch_size) {
      Batch sums[batches_at_once];
      for (std::int64_t k = 0; k < batches_at_once; ++k) sums[k] = Batch::load_aligned(column + lane + k * batch_size);
      for (Eigen::Index s = 0; s < weights.rows(); ++s) {
        const double* const row = features + s * parallel::tile_size + lane;
        for (std::int64_t k = 0; k < batches_at_once; ++k)
          sums[k] = model::fused(Batch::load_aligned(row + k * batch_size), Batch(weight[s]), sums[k]);
      }
      for (std::int64_t k = 0; k < batches_at_once; ++k) sums[k].store_aligned(column + lane + k * batch_size);
    }
  }
}

void sum_over_lanes(const double* features, const double* n, Eigen::Ref<Eigen::MatrixXd> sums) {
  for (Eigen::Index s = 0; s < sums.rows(); ++s)
    for (Eigen::Index r = 0; r < sums.cols(); ++r)
      sums(s, r) = dot_of_lanes(features + s * parallel::tile_size, n + r * parallel::tile_size);
}

}  // namespace rankflow::connectivity
