#include "analysis/flow_field.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/mixture_tiles.hpp"
#include "core/error.hpp"
#include "model/activation.hpp"
#include "parallel/draws.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using parallel::tile_size;

std::vector<double> filtered(const model::Network<double>& network, std::span<const double> inputs) {
  if (!inputs.empty() && std::ssize(inputs) != network.inputs)
    throw ConfigurationError("{} constant inputs are given; the network has {} input channels", inputs.size(),
                             network.inputs);
  std::vector<double> constant(inputs.begin(), inputs.end());
  constant.resize(static_cast<std::size_t>(network.inputs), 0.0);
  const double leak = network.decay ? 1.0 : network.leak;
  for (double& value : constant) {
    if (value != 0 && leak == 0)
      throw ConfigurationError("with a leak of 0 a constant input grows without bound: leave inputs out");
    if (value != 0) value /= leak;
  }
  return constant;
}

/// Sums over neurons for one point after the other.
class FieldSums {
 public:
  FieldSums(const model::Network<double>& network, std::span<const double> inputs,
            std::span<const std::uint8_t> populations, int count)
      : network_(network),
        input_(filtered(network, inputs)),
        populations_(populations),
        count_(static_cast<std::size_t>(count)),
        right_(count_ * static_cast<std::size_t>(network.rank)) {}

  void add(std::int64_t tile, const FlowGrid& grid, parallel::ReproducibleSum& sum) {
    start_tile(tile);
    std::size_t place = 0;
    for (std::int64_t point = 0; point < grid.count(); ++point) {
      rates_ = constant_;
      for (int r = 0; r < network_.rank; ++r) {
        const double z = grid.points[static_cast<std::size_t>(point * grid.rank + r)];
        const double* m = network_.m.tile(tile, r);
        for (std::int64_t i = 0; i < tile_size; ++i) rates_.data()[i] += z * m[i];
      }
      model::tile_rates(network_.activation, rates_.data(), bias_.data(), rates_.data(), tile_size);
      for (const auto& right : right_) sum.add(place++, tile_product(right.data(), rates_.data()));
    }
  }

 private:
  /// n of each population's neurons, 0 elsewhere, and what does not depend on z.
  void start_tile(std::int64_t tile) {
    constant_.values.fill(0);
    bias_.values.fill(0);
    for (int k = 0; k < network_.inputs; ++k)
      for (std::int64_t i = 0; i < tile_size; ++i)
        constant_.data()[i] += input_[static_cast<std::size_t>(k)] * network_.input_weights.tile(tile, k)[i];
    if (network_.has_bias()) std::copy_n(network_.bias.tile(tile, 0), tile_size, bias_.data());
    for (auto& right : right_) right.values.fill(0);
    const auto rank = static_cast<std::size_t>(network_.rank);
    for (std::int64_t i = 0; i < network_.partition.tile_count(tile); ++i) {
      const std::size_t p = populations_.empty() ? 0 : populations_[static_cast<std::size_t>(tile * tile_size + i)];
      for (std::size_t r = 0; r < rank; ++r)
        right_[p * rank + r].data()[i] = network_.n.tile(tile, static_cast<int>(r))[i];
    }
  }

  const model::Network<double>& network_;
  std::vector<double> input_;
  std::span<const std::uint8_t> populations_;
  std::size_t count_;
  std::vector<TileValues> right_;  // [population, R]
  TileValues constant_, bias_, rates_;
};

std::vector<double> random_points(int rank, double range, std::int64_t count, std::uint64_t seed) {
  std::vector<double> points(static_cast<std::size_t>(count * rank));
  parallel::uniform<double>(parallel::Stream(seed, parallel::Purpose::sliced_points), {.index = 2}, 0, points);
  for (double& value : points) value = range * (2 * value - 1);
  return points;
}

}  // namespace

FlowGrid make_grid(int rank, double range, std::int64_t per_axis, std::uint64_t seed) {
  if (!(range > 0) || per_axis < 2)
    throw ConfigurationError("a grid needs a positive range and at least 2 points along an axis, found {} and {}",
                             range, per_axis);
  FlowGrid grid{.rank = rank, .range = range, .extent = {}, .points = {}};
  if (rank > 3) {
    grid.points = random_points(rank, range, per_axis * per_axis, seed);
    return grid;
  }
  const auto side = rank < 3 ? per_axis : std::max<std::int64_t>(2, std::llround(std::pow(per_axis, 2.0 / 3.0)));
  grid.extent.assign(static_cast<std::size_t>(rank), side);
  std::int64_t count = 1;
  for (const auto points : grid.extent) count *= points;
  for (std::int64_t point = 0; point < count; ++point) {
    std::int64_t stride = count;
    for (const auto points : grid.extent) {
      stride /= points;
      const auto place = static_cast<double>(point / stride % points);
      grid.points.push_back(range * (2 * place / static_cast<double>(points - 1) - 1));
    }
  }
  return grid;
}

FlowField flow_field(const model::Network<double>& network, const FlowGrid& grid, std::span<const double> inputs,
                     std::span<const std::uint8_t> populations, int count, const parallel::Communicator& comm) {
  if (network.has_own_tau())
    throw InputDataError(
        "the network has time constants of its own for each neuron (dataset 'tau'): it has no flow of latents alone; "
        "give it one time constant (the attribute 'tau')");
  const auto rank = static_cast<std::size_t>(network.rank);
  const auto each = static_cast<std::size_t>(grid.count()) * rank;
  parallel::ReproducibleSum sum(each * static_cast<std::size_t>(count));
  FieldSums sums(network, inputs, populations, count);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) sums.add(tile, grid, sum);
  std::vector<double> totals(sum.count());
  sum.reduce(comm, totals);
  FlowField field;
  field.drive.assign(static_cast<std::size_t>(count), std::vector<double>(each));
  const double leak = network.decay ? 1.0 : network.leak;
  for (const double z : grid.points) field.total.push_back(-leak * z);
  const auto neurons = static_cast<double>(network.neurons());
  for (std::size_t p = 0; p < field.drive.size(); ++p)
    for (std::size_t k = 0; k < each; ++k) {
      field.drive[p][k] = totals[(k / rank * field.drive.size() + p) * rank + k % rank] / neurons;
      field.total[k] += field.drive[p][k];
    }
  return field;
}

std::vector<double> flow_without(const FlowField& flow, std::size_t population) {
  std::vector<double> rest = flow.total;
  for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= flow.drive[population][i];
  return rest;
}

double relative_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += a[i] * a[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace rankflow::analysis
