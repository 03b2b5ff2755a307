#include "analysis/connectivity_distance_report.hpp"

#include <algorithm>

#include <Eigen/Eigenvalues>

#include "analysis/connectivity_distance.hpp"
#include "analysis/connectivity_distance_conditional.hpp"
#include "analysis/mixture_tiles.hpp"
#include "analysis/sinkhorn_sliced.hpp"
#include "core/error.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

/// Sorting so many points per direction takes a tenth of a second.
constexpr std::int64_t most_sliced = 1000000;

void require_same_shape(const model::Network<double>& a, const model::Network<double>& b) {
  if (a.rank != b.rank || a.inputs != b.inputs)
    throw InputDataError(
        "the first network has rank {} and {} input channels, the second rank {} and {}: distances need equal ones",
        a.rank, a.inputs, b.rank, b.inputs);
}

std::vector<double> overlap_of(const model::Network<double>& network, const parallel::Communicator& comm) {
  const auto rank = static_cast<std::size_t>(network.rank);
  parallel::ReproducibleSum sum(rank * rank);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile)
    for (std::size_t k = 0; k < rank * rank; ++k)
      sum.add(k, tile_product(network.n.tile(tile, static_cast<int>(k / rank)),
                              network.m.tile(tile, static_cast<int>(k % rank))));
  std::vector<double> overlap(rank * rank);
  sum.reduce(comm, overlap);
  for (double& value : overlap) value /= static_cast<double>(network.neurons());
  return overlap;
}

std::vector<std::complex<double>> eigenvalues_of(const std::vector<double>& overlap, int rank) {
  const Eigen::VectorXcd found = Eigen::Map<const Eigen::MatrixXd>(overlap.data(), rank, rank).eigenvalues();
  std::vector<std::complex<double>> sorted(found.begin(), found.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.real() != b.real() ? a.real() > b.real() : a.imag() > b.imag();
  });
  return sorted;
}

SinkhornOptions sinkhorn_options(const config::CompareOptions& options) {
  return {.blur = options.blur,
          .tolerance = options.tolerance,
          .schedule = options.iterations == config::SinkhornIterations::geomloss ? SinkhornSchedule::geomloss
                                                                                 : SinkhornSchedule::converged};
}

/// One network on its way through the comparison.
class Reader {
 public:
  Reader(const ComparedNetwork& compared, bool with_bias, const config::CompareNetworksOptions& options,
         const parallel::Communicator& comm)
      : network_(compared.network),
        with_bias_(with_bias),
        options_(options),
        comm_(comm),
        modelled_(sample(options.compare.conditional_neurons)) {
    auto own = options.compare;
    mean_ = find_conditional_mean(own, compared.file, modelled_, comm);
  }

  NeuronSample sample(std::int64_t most) const {
    return sample_neurons(network_, most, with_bias_, static_cast<std::uint64_t>(options_.compare.seed), comm_);
  }
  const ConditionalMean& mean() const noexcept { return mean_.mean; }

  NetworkReading read(const NeuronSample& drawn, const FlowGrid& grid) const {
    NetworkReading reading{.neurons = network_.neurons(),
                           .overlap = overlap_of(network_, comm_),
                           .eigenvalues = {},
                           .conditional_mean = mean_.origin,
                           .flow = flow_field(network_, grid, options_.grid.inputs, {}, 1, comm_)};
    reading.eigenvalues = eigenvalues_of(reading.overlap, network_.rank);
    if (drawn.count() > 1)
      reading.sampling =
          sinkhorn_divergence(drawn.half(0).loadings, drawn.half(1).loadings, sinkhorn_options(options_.compare), comm_)
              .divergence;
    reading.free_part = conditional_error(modelled_.loadings, modelled_.n, mean(), network_.rank, comm_);
    return reading;
  }

 private:
  const model::Network<double>& network_;
  bool with_bias_;
  const config::CompareNetworksOptions& options_;
  const parallel::Communicator& comm_;
  NeuronSample modelled_;
  KnownConditionalMean mean_;
};

/// E[n | m, b, d] of each neuron of a sample.
std::vector<double> evaluate_mean(const ConditionalMean& mean, const NeuronSample& sample) {
  std::vector<double> values(sample.n.size());
  const auto width = static_cast<std::size_t>(sample.rank);
  for (std::int64_t i = 0; i < sample.count(); ++i)
    mean(sample.loadings.point(i), std::span(values).subspan(static_cast<std::size_t>(i) * width, width));
  return values;
}

}  // namespace

NetworkComparison compare_networks(const ComparedNetwork& first, const ComparedNetwork& second,
                                   const config::CompareNetworksOptions& options, const parallel::Communicator& comm) {
  const auto& a = first.network;
  const auto& b = second.network;
  require_same_shape(a, b);
  const auto& asked = options.compare;
  const auto seed = static_cast<std::uint64_t>(asked.seed);
  const bool with_bias = a.has_bias() || b.has_bias();
  // The preset, if one is asked for, is what the first network was drawn from, not the second.
  auto of_second = options;
  if (asked.conditional_mean == config::ConditionalMeanSource::preset)
    of_second.compare.conditional_mean = config::ConditionalMeanSource::automatic;
  const Reader reader_a(first, with_bias, options, comm);
  const Reader reader_b(second, with_bias, of_second, comm);
  const auto sample_a = reader_a.sample(asked.points);
  const auto sample_b = reader_b.sample(asked.points);
  const auto most = std::min(sample_a.count(), sample_b.count());

  NetworkComparison found;
  found.rank = a.rank;
  found.inputs = a.inputs;
  found.points = asked.points;
  found.grid = make_grid(a.rank, options.grid.range, options.grid.points, seed);
  found.first = reader_a.read(sample_a, found.grid);
  found.second = reader_b.read(sample_b, found.grid);
  found.loadings = sinkhorn_divergence(sample_a.loadings, sample_b.loadings, sinkhorn_options(asked), comm);
  found.sliced = sliced_transport(reader_a.sample(most_sliced).loadings, reader_b.sample(most_sliced).loadings,
                                  asked.directions, seed, comm);
  found.conditional_error = conditional_error(sample_b.loadings, sample_b.n, reader_a.mean(), a.rank, comm);
  found.mean_error =
      conditional_error(sample_b.loadings, evaluate_mean(reader_b.mean(), sample_b), reader_a.mean(), a.rank, comm);
  found.weights = correlate_weights(a, b, reader_a.sample(most), reader_b.sample(most), comm);
  found.flow_difference = relative_difference(found.first.flow.total, found.second.flow.total);
  return found;
}

}  // namespace rankflow::analysis
