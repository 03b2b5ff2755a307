#include "analysis/connectivity_distance_points.hpp"

#include <algorithm>

#include "parallel/draws.hpp"

namespace rankflow::analysis {
namespace {

/// Uniform numbers have 52 bits, so that so many halvings tell every two of them apart.
constexpr int halvings = 60;

/// This rank's neurons among the `most` with the smallest keys.
std::vector<std::int64_t> choose_neurons(const parallel::Partition& partition, std::int64_t most, std::uint64_t seed,
                                         const parallel::Communicator& comm) {
  std::vector<double> keys(static_cast<std::size_t>(partition.count()), 0.0);
  double limit = 1.0;
  if (partition.global_count() > most) {
    parallel::uniform<double>(parallel::Stream(seed, parallel::Purpose::sliced_points), {.index = 1},
                              static_cast<std::uint64_t>(partition.begin()), keys);
    double low = 0;
    for (int k = 0; k < halvings; ++k) {
      const double middle = 0.5 * (low + limit);
      std::int64_t below = std::count_if(keys.begin(), keys.end(), [&](double key) { return key < middle; });
      comm.sum(std::span(&below, 1));
      (below < most ? low : limit) = middle;
    }
  }
  std::vector<std::int64_t> chosen;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i] < limit) chosen.push_back(static_cast<std::int64_t>(i));
  return chosen;
}

std::vector<double> gather(const std::vector<double>& mine, const parallel::Communicator& comm) {
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.size()));
  std::int64_t total = 0;
  for (const auto count : counts) total += count;
  std::vector<double> all(static_cast<std::size_t>(total));
  comm.all_gather(std::span<const double>(mine), all, counts);
  return all;
}

}  // namespace

PointCloud NeuronSample::rows() const {
  PointCloud rows{.count = count(), .dimensions = loadings.dimensions + rank, .values = {}};
  const auto width = static_cast<std::size_t>(rank);
  for (std::int64_t i = 0; i < count(); ++i) {
    const auto place = loadings.point(i);
    const auto m = place.first(width);
    const auto rest = place.subspan(width);
    const auto right = std::span(n).subspan(static_cast<std::size_t>(i) * width, width);
    rows.values.insert(rows.values.end(), m.begin(), m.end());
    rows.values.insert(rows.values.end(), right.begin(), right.end());
    rows.values.insert(rows.values.end(), rest.begin(), rest.end());
  }
  return rows;
}

NeuronSample NeuronSample::half(std::int64_t remainder) const {
  NeuronSample part{.loadings = {}, .n = {}, .rank = rank, .inputs = inputs};
  part.loadings.dimensions = loadings.dimensions;
  const auto width = static_cast<std::size_t>(rank);
  for (std::int64_t i = remainder; i < count(); i += 2) {
    const auto place = loadings.point(i);
    part.loadings.values.insert(part.loadings.values.end(), place.begin(), place.end());
    const auto right = std::span(n).subspan(static_cast<std::size_t>(i) * width, width);
    part.n.insert(part.n.end(), right.begin(), right.end());
    ++part.loadings.count;
  }
  return part;
}

NeuronSample sample_neurons(const model::Network<double>& network, std::int64_t most, bool with_bias,
                            std::uint64_t seed, const parallel::Communicator& comm) {
  std::vector<double> loadings;
  std::vector<double> right;
  for (const auto i : choose_neurons(network.partition, most, seed, comm)) {
    for (int r = 0; r < network.rank; ++r) loadings.push_back(network.m.at(i, r));
    for (int k = 0; k < network.inputs; ++k) loadings.push_back(network.input_weights.at(i, k));
    if (with_bias) loadings.push_back(network.has_bias() ? network.bias.at(i, 0) : 0.0);
    for (int r = 0; r < network.rank; ++r) right.push_back(network.n.at(i, r));
  }
  NeuronSample sample{.loadings = {}, .n = gather(right, comm), .rank = network.rank, .inputs = network.inputs};
  sample.loadings.dimensions = network.rank + network.inputs + (with_bias ? 1 : 0);
  sample.loadings.values = gather(loadings, comm);
  sample.loadings.count = static_cast<std::int64_t>(sample.n.size()) / network.rank;
  return sample;
}

}  // namespace rankflow::analysis
