#include <cmath>
#include <span>

#include "connectivity/posterior.hpp"
#include "parallel/draws.hpp"

namespace rankflow::connectivity {
namespace {

constexpr std::uint32_t of_neurons = 0;
constexpr std::uint32_t of_noise = 1;

}  // namespace

model::NeuronArray<double> Posterior::draw(const Variances& variances, std::uint64_t seed, std::uint32_t draw,
                                           const parallel::Communicator& comm) const {
  const parallel::Stream stream(seed, parallel::Purpose::connectivity_draws);
  const auto components = static_cast<int>(spectrum_.targets.cols());
  const double width = std::sqrt(variances.prior);
  model::NeuronArray<double> n(loadings_.partition, components);
  const auto& partition = loadings_.partition;
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile)
    for (int r = 0; r < components; ++r) {
      const std::span<double> column(n.tile(tile, r), static_cast<std::size_t>(partition.tile_count(tile)));
      parallel::normal(stream, {.trial = draw, .step = static_cast<std::uint32_t>(r), .index = of_neurons},
                       static_cast<std::uint64_t>(partition.tile_begin(tile)), column);
      for (double& value : column) value *= width;
    }
  // What the draw from the prior and one of the noise leave of y, along the functions: these see nothing else.
  Eigen::MatrixXd left = spectrum_.targets - neuron_sums(n, comm) / static_cast<double>(spectrum_.neurons);
  const double noise = std::sqrt(variances.noise / static_cast<double>(spectrum_.rows));
  Eigen::VectorXd drawn(left.rows());
  for (int r = 0; r < components; ++r) {
    parallel::normal(stream, {.trial = draw, .step = static_cast<std::uint32_t>(r), .index = of_noise}, 0,
                     std::span<double>(drawn.data(), static_cast<std::size_t>(drawn.size())));
    left.col(r) -= noise * drawn;
  }
  left.array().colwise() /= spectrum_.eigenvalues.array() + spectrum_.penalty(variances);
  add_response(left, n);
  return n;
}

}  // namespace rankflow::connectivity
