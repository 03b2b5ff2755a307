#include <cmath>
#include <utility>

#include "analysis/populations_report.hpp"

namespace rankflow::analysis {
namespace {

/// An exact search of more hyperplanes would take minutes for each population.
constexpr double most_regions = 1e8;

config::FixedPointsOptions search_options(const config::AnalyzePopulationsOptions& options,
                                          const model::Network<double>& network) {
  config::FixedPointsOptions search;
  search.inputs = options.grid.inputs;
  search.starts = options.populations.fixed_point_starts;
  search.basin_starts = 0;
  if (std::pow(2.0 * static_cast<double>(network.neurons()), network.rank) > most_regions)
    search.method = config::FixedPointMethod::newton;
  return search;
}

/// Labels of all ranks' neurons.
std::vector<std::uint8_t> all_labels(const parallel::Partition& partition, const std::vector<std::uint8_t>& mine,
                                     const parallel::Communicator& comm) {
  std::vector<std::uint8_t> all(static_cast<std::size_t>(partition.global_count()));
  const auto counts = comm.all_gather(partition.count());
  comm.all_gather(std::span<const std::uint8_t>(mine).first(static_cast<std::size_t>(partition.count())), all, counts);
  return all;
}

/// A population's n is 0 while this lives.
class Silence {
 public:
  Silence(model::Network<double>& network, const std::vector<std::uint8_t>& labels, std::uint8_t population)
      : network_(network) {
    for (std::int64_t i = 0; i < network.neurons(); ++i)
      if (labels[static_cast<std::size_t>(i)] == population) {
        neurons_.push_back(i);
        for (int r = 0; r < network.rank; ++r) weights_.push_back(std::exchange(network.n.at(i, r), 0.0));
      }
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    std::size_t place = 0;
    for (const auto i : neurons_)
      for (int r = 0; r < network_.rank; ++r) network_.n.at(i, r) = weights_[place++];
  }

 private:
  model::Network<double>& network_;
  std::vector<std::int64_t> neurons_;
  std::vector<double> weights_;
};

}  // namespace

SilencingReport silence_populations(const model::Network<double>& network, const Populations& populations,
                                    const config::AnalyzePopulationsOptions& options,
                                    model::Network<double>* whole_network, const parallel::Communicator& comm) {
  const auto seed = static_cast<std::uint64_t>(options.populations.seed);
  SilencingReport report;
  report.grid = make_grid(network.rank, options.grid.range, options.grid.points, seed);
  report.flow = flow_field(network, report.grid, options.grid.inputs, populations.labels, populations.count(), comm);
  for (std::size_t p = 0; p < report.flow.drive.size(); ++p)
    report.change.push_back(relative_difference(report.flow.total, flow_without(report.flow, p)));
  if (whole_network == nullptr) return report;
  const auto search = search_options(options, network);
  const auto labels = all_labels(network.partition, populations.labels, comm);
  const auto find = [&] {
    return find_fixed_points(LatentMap(*whole_network, search), search, seed, comm, [](const std::string&, double) {});
  };
  report.whole = find();
  for (int p = 0; p < populations.count(); ++p) {
    const Silence silence(*whole_network, labels, static_cast<std::uint8_t>(p));
    report.without.push_back(find());
  }
  return report;
}

}  // namespace rankflow::analysis
