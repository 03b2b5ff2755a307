#include "analysis/fixed_points_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/ranges.h>
#include <xsimd/xsimd.hpp>

#include "core/error.hpp"
#include "model/activation.hpp"

namespace rankflow::analysis {
namespace {

using model::Activation;
using parallel::tile_size;
using Tile = std::array<double, static_cast<std::size_t>(tile_size)>;
using Batch = xsimd::batch<double>;

/// sum_i a_i b_i over a tile; padding holds zeros.
double dot(const double* a, const double* b) {
  Batch sum(0.0);
  for (std::int64_t i = 0; i < tile_size; i += static_cast<std::int64_t>(Batch::size))
    sum = xsimd::fma(Batch::load_aligned(a + i), Batch::load_aligned(b + i), sum);
  return xsimd::hadd(sum);
}

/// `values` as one per latent; `fallback` when there are none, and one value stands for all.
std::vector<double> per_latent(const std::vector<double>& values, int rank, double fallback, const char* key) {
  const auto count = static_cast<std::size_t>(rank);
  if (values.empty()) return std::vector<double>(count, fallback);
  if (values.size() == 1) return std::vector<double>(count, values.front());
  if (values.size() == count) return values;
  throw ConfigurationError("fixed_points.{} has {} values; the network has {} latents: give one value or {}", key,
                           values.size(), rank, rank);
}

/// Input as the network's leak filters it, once it is constant.
std::vector<double> filtered_inputs(const model::Network<double>& network, const std::vector<double>& inputs,
                                    double leak) {
  const auto channels = static_cast<std::size_t>(network.inputs);
  if (!inputs.empty() && inputs.size() != channels)
    throw ConfigurationError("fixed_points.inputs has {} values; the network has {} input channels", inputs.size(),
                             channels);
  std::vector<double> filtered(channels, 0.0);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (leak == 0 && inputs[k] != 0)
      throw ConfigurationError("fixed_points.inputs: with a leak of 0 a constant input grows without bound");
    filtered[k] = leak == 0 ? 0.0 : inputs[k] / leak;
  }
  return filtered;
}

void copy_neurons(const model::Network<double>& network, const std::vector<double>& filtered,
                  const std::vector<double>& gain, LatentMapArrays& arrays) {
  arrays.neurons = network.neurons();
  for (std::int64_t i = 0; i < network.neurons(); ++i) {
    for (int r = 0; r < network.rank; ++r) {
      arrays.left.push_back(network.m.at(i, r));
      arrays.right.push_back(network.n.at(i, r) * gain[static_cast<std::size_t>(r)]);
    }
    double shift = 0;
    for (int k = 0; k < network.inputs; ++k)
      shift += network.input_weights.at(i, k) * filtered[static_cast<std::size_t>(k)];
    arrays.shift.push_back(shift);
    arrays.bias.push_back(network.has_bias() ? network.bias.at(i, 0) : 0.0);
  }
}

}  // namespace

LatentMap::LatentMap(Activation activation, double tau, const LatentMapArrays& arrays)
    : activation_(activation), tau_(tau) {
  fill(arrays);
}

LatentMap::LatentMap(const model::Network<double>& network, const config::FixedPointsOptions& options)
    : activation_(network.activation), tau_(0) {
  if (network.has_own_tau())
    throw InputDataError(
        "the network has time constants of its own for each neuron (dataset 'tau'): its latents alone do not tell "
        "whether a fixed point is stable; give it one time constant (the attribute 'tau')");
  const bool is_map = network.decay.has_value() || !options.decay.empty();
  const double neurons = static_cast<double>(network.neurons());
  LatentMapArrays arrays;
  std::vector<double> gain(static_cast<std::size_t>(network.rank), 1.0 / neurons);
  if (is_map) {
    arrays.linear = per_latent(options.decay, network.rank, network.decay.value_or(0.0), "decay");
    for (std::size_t r = 0; r < gain.size(); ++r) gain[r] = (1.0 - arrays.linear[r]) / neurons;
  } else {
    tau_ = network.shared_tau;
    arrays.linear.assign(gain.size(), -network.leak);
  }
  arrays.offset = per_latent(options.offset, network.rank, 0.0, "offset");
  copy_neurons(network, filtered_inputs(network, options.inputs, is_map ? 1.0 : network.leak), gain, arrays);
  fill(arrays);
}

void LatentMap::fill(const LatentMapArrays& arrays) {
  const int columns = static_cast<int>(arrays.linear.size());
  partition_ = parallel::Partition(arrays.neurons, 1, 0);
  left_ = model::NeuronArray<double>(partition_, columns);
  right_ = model::NeuronArray<double>(partition_, columns);
  shift_ = model::NeuronArray<double>(partition_, 1);
  bias_ = model::NeuronArray<double>(partition_, 1);
  linear_ = Eigen::Map<const Vector>(arrays.linear.data(), columns);
  offset_ = Eigen::Map<const Vector>(arrays.offset.data(), columns);
  for (std::int64_t i = 0; i < arrays.neurons; ++i) {
    const auto place = static_cast<std::size_t>(i);
    for (int r = 0; r < columns; ++r) {
      const std::size_t entry = place * static_cast<std::size_t>(columns) + static_cast<std::size_t>(r);
      left_.at(i, r) = arrays.left[entry];
      right_.at(i, r) = arrays.right[entry];
    }
    shift_.at(i, 0) = arrays.shift[place];
    bias_.at(i, 0) = arrays.bias[place];
  }
}

bool LatentMap::piecewise_linear() const noexcept {
  return activation_ == Activation::relu || activation_ == Activation::clipped_relu ||
         activation_ == Activation::identity;
}

void LatentMap::drive_tile(std::int64_t tile, std::span<const double> z, double* potentials) const {
  std::copy_n(shift_.tile(tile, 0), tile_size, potentials);
  for (int r = 0; r < rank(); ++r) {
    const double* column = left_.tile(tile, r);
    const double factor = z[static_cast<std::size_t>(r)];
    for (std::int64_t i = 0; i < tile_size; ++i) potentials[i] += factor * column[i];
  }
}

void LatentMap::evaluate(std::span<const double> z, std::span<double> value) const {
  for (int r = 0; r < rank(); ++r) {
    const auto place = static_cast<std::size_t>(r);
    value[place] = linear_[r] * z[place] + offset_[r];
  }
  alignas(64) Tile rates;
  for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile) {
    drive_tile(tile, z, rates.data());
    model::tile_rates(activation_, rates.data(), bias_.tile(tile, 0), rates.data(), tile_size);
    for (int r = 0; r < rank(); ++r) value[static_cast<std::size_t>(r)] += dot(right_.tile(tile, r), rates.data());
  }
}

LatentMap::Vector LatentMap::evaluate(const Vector& z) const {
  Vector value(rank());
  evaluate(std::span(z.data(), static_cast<std::size_t>(rank())),
           std::span(value.data(), static_cast<std::size_t>(rank())));
  return value;
}

LatentMap::Matrix LatentMap::jacobian(const Vector& z) const {
  Matrix jacobian = linear_.asDiagonal();
  alignas(64) Tile slopes;
  alignas(64) Tile product;
  for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile) {
    drive_tile(tile, std::span(z.data(), static_cast<std::size_t>(rank())), slopes.data());
    model::tile_slopes(activation_, slopes.data(), bias_.tile(tile, 0), slopes.data(), tile_size);
    for (int r = 0; r < rank(); ++r) {
      const double* right = right_.tile(tile, r);
      for (std::size_t i = 0; i < slopes.size(); ++i) product[i] = right[i] * slopes[i];
      for (int c = 0; c < rank(); ++c) jacobian(r, c) += dot(product.data(), left_.tile(tile, c));
    }
  }
  return jacobian;
}

LatentMap::Vector LatentMap::residual(const Vector& z) const {
  return discrete() ? Vector(evaluate(z) - z) : evaluate(z);
}

LatentMap::Matrix LatentMap::residual_jacobian(const Vector& z) const {
  Matrix result = jacobian(z);
  if (discrete()) result.diagonal().array() -= 1.0;
  return result;
}

KinkedSystem LatentMap::kinked_system() const {
  if (!piecewise_linear())
    throw ConfigurationError(
        "fixed_points.method: \"exact\" needs a piecewise-linear activation (relu, clipped_relu, identity); this "
        "network's is smooth: use \"newton\", which may miss fixed points, or \"auto\"");
  if (rank() > max_dimension)
    throw ConfigurationError(
        "fixed_points.method: the exact search handles at most rank {}, found {}; use \"newton\", which may miss fixed "
        "points",
        max_dimension, rank());
  SmallMatrix linear = linear_.asDiagonal();
  if (discrete()) linear.diagonal().array() -= 1.0;
  KinkedSystem system(linear, offset_);
  for (std::int64_t i = 0; i < neurons(); ++i) {
    SmallVector normal(rank());
    SmallVector weight(rank());
    for (int r = 0; r < rank(); ++r) {
      normal[r] = left_.at(i, r);
      weight[r] = right_.at(i, r);
    }
    const double rest = shift_.at(i, 0) + bias_.at(i, 0);
    if (activation_ == Activation::identity) {
      system.linear += weight * normal.transpose();
      system.constant += weight * rest;
      continue;
    }
    system.add_kink(normal, -rest, weight);
    if (activation_ == Activation::clipped_relu) system.add_kink(normal, -shift_.at(i, 0), -weight);
  }
  return system;
}

LatentMap::Vector LatentMap::drive_scale() const {
  Vector scale = offset_.cwiseAbs();
  for (std::int64_t i = 0; i < neurons(); ++i)
    for (int r = 0; r < rank(); ++r) scale[r] += std::abs(right_.at(i, r));
  for (int r = 0; r < rank(); ++r) {
    const double restoring = std::abs(discrete() ? 1.0 - linear_[r] : linear_[r]);
    if (restoring > 0) scale[r] /= restoring;
  }
  return scale;
}

double LatentMap::steepness() const {
  Vector sum = linear_.cwiseAbs().array() + (discrete() ? 1.0 : 0.0);
  for (std::int64_t i = 0; i < neurons(); ++i) {
    double left = 0;
    for (int r = 0; r < rank(); ++r) left += std::abs(left_.at(i, r));
    for (int r = 0; r < rank(); ++r) sum[r] += std::abs(right_.at(i, r)) * left;
  }
  return sum.maxCoeff();
}

}  // namespace rankflow::analysis
