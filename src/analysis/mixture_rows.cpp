#include "analysis/mixture_rows.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using parallel::tile_size;

/// A variable whose spread is no more than rounding of its mean does not vary.
constexpr double least_spread = 1e-12;

/// Sums of values or of squares of every variable about `centre`.
std::vector<double> sums_about(const model::NeuronArray<double>& values, const parallel::Partition& partition,
                               const std::vector<double>& centre, bool squares, const parallel::Communicator& comm) {
  parallel::ReproducibleSum sum(centre.size());
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile)
    for (std::size_t v = 0; v < centre.size(); ++v) {
      const double* column = values.tile(tile, static_cast<int>(v));
      double partial = 0;
      for (std::int64_t i = 0; i < partition.tile_count(tile); ++i) {
        const double value = column[i] - centre[v];
        partial += squares ? value * value : value;
      }
      sum.add(v, partial);
    }
  std::vector<double> totals(centre.size());
  sum.reduce(comm, totals);
  return totals;
}

}  // namespace

MixtureRows::MixtureRows(const model::Network<double>& network, const parallel::Communicator& comm)
    : partition_(network.partition) {
  const int rank = network.rank;
  const int inputs = network.inputs;
  read(
      2 * rank + inputs + (network.has_bias() ? 1 : 0),
      [&](std::int64_t tile, int variable, std::span<double> column) {
        const double* from = variable < rank                ? network.m.tile(tile, variable)
                             : variable < 2 * rank          ? network.n.tile(tile, variable - rank)
                             : variable < 2 * rank + inputs ? network.input_weights.tile(tile, variable - 2 * rank)
                                                            : network.bias.tile(tile, 0);
        std::copy_n(from, column.size(), column.begin());
      },
      comm);
}

MixtureRows::MixtureRows(const PointCloud& points, const parallel::Communicator& comm)
    : partition_(points.count, comm.size(), comm.rank()) {
  read(
      points.dimensions,
      [&](std::int64_t tile, int variable, std::span<double> column) {
        const std::int64_t first = partition_.tile_begin(tile);
        for (std::int64_t i = 0; i < partition_.tile_count(tile); ++i)
          column[static_cast<std::size_t>(i)] = points.point(first + i)[static_cast<std::size_t>(variable)];
      },
      comm);
}

void MixtureRows::read(int variables, const Fill& fill, const parallel::Communicator& comm) {
  model::NeuronArray<double> own(partition_, variables);
  for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile)
    for (int v = 0; v < variables; ++v)
      fill(tile, v, std::span(own.tile(tile, v), static_cast<std::size_t>(tile_size)));
  const auto count = static_cast<double>(partition_.global_count());
  centre_ = sums_about(own, partition_, std::vector<double>(static_cast<std::size_t>(variables), 0.0), false, comm);
  for (double& value : centre_) value /= count;
  scale_ = sums_about(own, partition_, centre_, true, comm);
  for (std::size_t v = 0; v < scale_.size(); ++v) {
    scale_[v] = std::sqrt(scale_[v] / count);
    if (!std::isfinite(scale_[v]))
      throw InputDataError("the network's loadings hold values that are not finite; look for them with 'inspect'");
    if (scale_[v] > least_spread * std::max(1.0, std::abs(centre_[v]))) kept_.push_back(static_cast<int>(v));
  }
  if (kept_.empty())
    throw InputDataError("all {} neurons have the same loadings: there are no populations to tell apart",
                         partition_.global_count());
  values_ = model::NeuronArray<double>(partition_, static_cast<int>(kept_.size()));
  for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile)
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const auto v = static_cast<std::size_t>(kept_[k]);
      for (std::int64_t i = 0; i < partition_.tile_count(tile); ++i)
        values_.tile(tile, static_cast<int>(k))[i] = (own.tile(tile, kept_[k])[i] - centre_[v]) / scale_[v];
    }
}

MixtureModel MixtureRows::in_own_units(const MixtureModel& scaled) const {
  const auto all = static_cast<Eigen::Index>(centre_.size());
  MixtureModel own{.weights = scaled.weights, .means = {}, .covariances = {}};
  for (std::size_t k = 0; k < scaled.weights.size(); ++k) {
    Eigen::VectorXd mean = Eigen::Map<const Eigen::VectorXd>(centre_.data(), all);
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(all, all);
    for (std::size_t a = 0; a < kept_.size(); ++a) {
      const double unit = scale_[static_cast<std::size_t>(kept_[a])];
      mean[kept_[a]] += unit * scaled.means[k][static_cast<Eigen::Index>(a)];
      for (std::size_t b = 0; b < kept_.size(); ++b)
        covariance(kept_[a], kept_[b]) =
            unit * scale_[static_cast<std::size_t>(kept_[b])] *
            scaled.covariances[k](static_cast<Eigen::Index>(a), static_cast<Eigen::Index>(b));
    }
    own.means.push_back(mean);
    own.covariances.push_back(covariance);
  }
  return own;
}

double MixtureRows::log_scale() const noexcept {
  double sum = 0;
  for (const int variable : kept_) sum -= std::log(scale_[static_cast<std::size_t>(variable)]);
  return sum;
}

}  // namespace rankflow::analysis
