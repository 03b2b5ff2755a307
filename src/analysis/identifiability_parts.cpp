#include "analysis/identifiability_parts.hpp"

#include <cmath>

#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using parallel::tile_size;

/// (1/N) sum_i e_ik n_ir [r, R]: the drive's coordinates over the visited rows. Fills the neurons' resolution.
Eigen::MatrixXd drive_coordinates(const connectivity::Posterior& posterior, double penalty,
                                  const model::Network<double>& network, model::NeuronArray<double>& resolution,
                                  const parallel::Communicator& comm) {
  const auto& gamma = posterior.spectrum().eigenvalues;
  const auto neurons = static_cast<double>(network.neurons());
  const Eigen::VectorXd weight = (neurons * (gamma.array() + penalty)).inverse();
  parallel::ReproducibleSum sum(static_cast<std::size_t>(gamma.size()) * static_cast<std::size_t>(network.rank));
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    const Eigen::MatrixXd coordinates = posterior.coordinates(tile);  // [tile_size, r]
    const Eigen::Map<const Eigen::MatrixXd> n(network.n.tile(tile, 0), tile_size, network.rank);
    const Eigen::MatrixXd sums = coordinates.transpose() * n;
    for (Eigen::Index c = 0; c < sums.size(); ++c) sum.add(static_cast<std::size_t>(c), sums.data()[c]);
    Eigen::Map<Eigen::VectorXd>(resolution.tile(tile, 0), tile_size) = coordinates.cwiseAbs2() * weight;
  }
  Eigen::MatrixXd result(gamma.size(), network.rank);
  sum.reduce(comm, std::span(result.data(), sum.count()));
  return result / neurons;
}

/// Mean square of what drive coordinates miss of the data's drive, over that of the data's.
double missed_share(const connectivity::Spectrum& spectrum, const Eigen::MatrixXd& drive) {
  const double data = spectrum.targets.squaredNorm() + spectrum.unexplained;
  return data > 0 ? ((spectrum.targets - drive).squaredNorm() + spectrum.unexplained) / data : 0.0;
}

std::vector<double> column_norms(const Eigen::MatrixXd& values) {
  const Eigen::VectorXd norms = values.colwise().norm();
  return {norms.begin(), norms.end()};
}

}  // namespace

std::vector<double> root_mean_squares(const model::NeuronArray<double>& values, const parallel::Partition& partition,
                                      const parallel::Communicator& comm) {
  parallel::ReproducibleSum sum(static_cast<std::size_t>(values.columns()));
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile)
    for (int c = 0; c < values.columns(); ++c)
      sum.add(static_cast<std::size_t>(c),
              Eigen::Map<const Eigen::VectorXd>(values.tile(tile, c), tile_size).squaredNorm());
  std::vector<double> squares(sum.count());
  sum.reduce(comm, squares);
  for (double& square : squares) square = std::sqrt(square / static_cast<double>(partition.global_count()));
  return squares;
}

ConnectivityParts connectivity_parts(const connectivity::Posterior& posterior, const connectivity::Loadings& loadings,
                                     double penalty, const model::Network<double>& network,
                                     const parallel::Communicator& comm) {
  ConnectivityParts parts;
  parts.resolution = model::NeuronArray<double>(network.partition, 1);
  const auto drive = drive_coordinates(posterior, penalty, network, parts.resolution, comm);
  const auto& gamma = posterior.spectrum().eigenvalues;
  const Eigen::ArrayXd share = gamma.array() / (gamma.array() + penalty);
  parts.drive = column_norms(drive);
  parts.required_drive = column_norms(share.matrix().asDiagonal() * drive);
  parts.free_drive = column_norms((1 - share).matrix().asDiagonal() * drive);
  parts.misfit = missed_share(posterior.spectrum(), drive);
  parts.free_bound = std::sqrt(penalty) / 2;
  auto projection = posterior.project(network.n, penalty, comm);
  parts.required_part = std::move(projection.required);
  parts.free_part = std::move(projection.free);
  parts.estimate = posterior.mean(penalty)(loadings);
  parts.size = root_mean_squares(network.n, network.partition, comm);
  parts.required = root_mean_squares(parts.required_part, network.partition, comm);
  parts.free = root_mean_squares(parts.free_part, network.partition, comm);
  return parts;
}

}  // namespace rankflow::analysis
