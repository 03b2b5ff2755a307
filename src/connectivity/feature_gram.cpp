#include "connectivity/neuron_sums.hpp"
#include "connectivity/posterior.hpp"
#include "connectivity/tile_products.hpp"

namespace rankflow::connectivity {

Eigen::MatrixXd feature_gram(const FeatureBasis& basis, const Loadings& loadings, const parallel::Communicator& comm) {
  const auto functions = basis.functions();
  const auto rows = basis.interpolation_rows();
  NeuronSums sums(loadings.partition, functions, functions);
  TileRows features(rows.count);
  Eigen::MatrixXd coefficients(functions, parallel::tile_size);
  Eigen::MatrixXd gram(functions, functions);
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) {
    tile_features(loadings, tile, rows, features.data());
    coefficients.noalias() = basis.interpolation() * features.matrix(rows.count).transpose();
    gram.setZero();
    gram.selfadjointView<Eigen::Lower>().rankUpdate(coefficients);
    sums.add(gram);
  }
  const Eigen::MatrixXd sum = sums.finish(comm);
  return sum.selfadjointView<Eigen::Lower>() * Eigen::MatrixXd::Identity(functions, functions) /
         static_cast<double>(loadings.neurons());
}

}  // namespace rankflow::connectivity
