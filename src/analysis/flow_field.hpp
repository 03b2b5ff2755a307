#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Latent states at which flow fields are looked at, the same on every rank.
struct FlowGrid {
  int rank = 0;                      ///< R
  double range = 0;                  ///< every latent lies in ± range
  std::vector<std::int64_t> extent;  ///< points along each latent, the last one fastest; empty when drawn at random
  std::vector<double> points;        ///< [count, R]

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(points.size()) / rank; }
};

/// `per_axis` points along each latent for R = 1 and 2; for R = 3 the cube whose number of points is next to per_axis²;
/// beyond, per_axis² points drawn uniformly. Throws ConfigurationError for a range that is not positive or fewer than 2
/// points.
FlowGrid make_grid(int rank, double range, std::int64_t per_axis, std::uint64_t seed);

/// The flow F(z) = −leak z + Σ_p drive_p(z), drive_p = (1/N) Σ_{i in p} n_i φ(m_i·z + b_i·v, d_i), and its parts by
/// population.
struct FlowField {
  std::vector<double> total;               ///< [point, R]
  std::vector<std::vector<double>> drive;  ///< [population] of [point, R]
};

/// F at every point of the grid; a map's F is that of its drive with leak 1: (z(t+1) − z(t)) / (1 − decay). Under
/// constant input u, v = u / leak; `inputs` may be empty for 0. `populations`: one label < `count` per neuron of this
/// rank; with count 1 it may be empty. Exact sums: the same bits on any number of ranks. Collective. Throws
/// InputDataError for time constants per neuron, ConfigurationError for another number of inputs.
FlowField flow_field(const model::Network<double>& network, const FlowGrid& grid, std::span<const double> inputs,
                     std::span<const std::uint8_t> populations, int count, const parallel::Communicator& comm);

/// The flow of a network without one population: F less that population's drive.
std::vector<double> flow_without(const FlowField& flow, std::size_t population);

/// |F_a − F_b| / |F_a| over all points and latents.
double relative_difference(const std::vector<double>& a, const std::vector<double>& b);

/// Arrows of a flow of rank 2 (first latent to the right, second upwards; '·': slower than a hundredth of the fastest),
/// or of rank 1 along a line. Empty for higher ranks.
std::string flow_sketch(const FlowGrid& grid, const std::vector<double>& field);

}  // namespace rankflow::analysis
