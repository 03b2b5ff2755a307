#include "analysis/mixture_tiles.hpp"

#include <cmath>
#include <numbers>

#include <Eigen/Cholesky>
#include <xsimd/xsimd.hpp>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using Lanes = xsimd::batch<double>;
constexpr auto lane_count = static_cast<std::int64_t>(Lanes::size);
using parallel::tile_size;

}  // namespace

MixtureDensity::MixtureDensity(const MixtureModel& mixture) : variables_(mixture.variables()) {
  for (std::size_t k = 0; k < mixture.weights.size(); ++k) {
    const Eigen::LLT<Eigen::MatrixXd> factor(mixture.covariances[k]);
    if (factor.info() != Eigen::Success)
      throw NumericalError(
          "component {} of a Gaussian mixture has no positive definite covariance; raise populations.regularisation",
          k);
    const Eigen::MatrixXd lower = factor.matrixL();
    const Eigen::MatrixXd whiten =
        lower.triangularView<Eigen::Lower>().solve(Eigen::MatrixXd::Identity(variables_, variables_));
    const Eigen::VectorXd whitened = whiten * mixture.means[k];
    for (int a = 0; a < variables_; ++a) {
      for (int b = 0; b <= a; ++b) whiten_.push_back(whiten(a, b));
      whitened_.push_back(whitened[a]);
    }
    log_weights_.push_back(std::log(mixture.weights[k]) - lower.diagonal().array().log().sum() -
                           0.5 * variables_ * std::log(2 * std::numbers::pi));
  }
}

void MixtureDensity::evaluate_component(const MixtureRows& rows, std::int64_t tile, std::size_t k,
                                        TileValues& log_density) const {
  const auto width = static_cast<std::size_t>(variables_);
  const double* matrix = whiten_.data() + k * width * (width + 1) / 2;
  const double* shift = whitened_.data() + k * width;
  for (std::int64_t i = 0; i < tile_size; i += lane_count) {
    Lanes square(0.0);
    const double* entry = matrix;
    for (int a = 0; a < variables_; ++a) {
      Lanes value(-shift[a]);
      for (int b = 0; b <= a; ++b)
        value = xsimd::fma(Lanes(*entry++), Lanes::load_aligned(rows.tile(tile, b) + i), value);
      square = xsimd::fma(value, value, square);
    }
    (Lanes(log_weights_[k]) - Lanes(0.5) * square).store_aligned(log_density.data() + i);
  }
}

void MixtureDensity::evaluate(const MixtureRows& rows, std::int64_t tile, std::span<TileValues> shares,
                              TileValues& total) const {
  for (std::size_t k = 0; k < shares.size(); ++k) evaluate_component(rows, tile, k, shares[k]);
  for (std::int64_t i = 0; i < tile_size; i += lane_count) {
    Lanes largest = Lanes::load_aligned(shares.front().data() + i);
    for (const auto& share : shares) largest = xsimd::max(largest, Lanes::load_aligned(share.data() + i));
    Lanes sum(0.0);
    for (auto& share : shares) {
      const Lanes term = xsimd::exp(Lanes::load_aligned(share.data() + i) - largest);
      sum += term;
      term.store_aligned(share.data() + i);
    }
    for (auto& share : shares) (Lanes::load_aligned(share.data() + i) / sum).store_aligned(share.data() + i);
    (largest + xsimd::log(sum)).store_aligned(total.data() + i);
  }
}

double tile_product(const double* a, const double* b) noexcept {
  Lanes sum(0.0);
  for (std::int64_t i = 0; i < tile_size; i += lane_count)
    sum = xsimd::fma(Lanes::load_unaligned(a + i), Lanes::load_unaligned(b + i), sum);
  return xsimd::hadd(sum);
}

}  // namespace rankflow::analysis
