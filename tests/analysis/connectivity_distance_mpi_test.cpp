#include <cstring>

#include <gtest/gtest.h>

#include "analysis/connectivity_distance.hpp"
#include "analysis/connectivity_distance_points.hpp"
#include "analysis/connectivity_distance_weights.hpp"
#include "analysis/flow_field.hpp"
#include "analysis/populations_report.hpp"
#include "analysis/sinkhorn_sliced.hpp"
#include "network_support.hpp"

namespace rankflow::analysis {
namespace {

using config::Preset;
using parallel::Communicator;

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// `numbers(comm, seed)` on all ranks and on one: the same bits; another seed: others.
template <class Numbers>
void compare_with_one_rank(const Numbers& numbers, const char* what) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  const auto together = numbers(world, 1);
  const auto alone = numbers(Communicator(), 1);
  EXPECT_GT(together.size(), 0U) << what;
  EXPECT_TRUE(same_bits(together, alone)) << what << " on " << world.size() << " ranks";
  EXPECT_FALSE(same_bits(together, numbers(world, 2))) << what << ", control: another seed";
}

TEST(DistancesOnRanks, SinkhornAndSliced) {
  compare_with_one_rank(
      [](const Communicator& comm, std::uint64_t seed) {
        const auto a = sample_neurons(preset_network_of(Preset::bistable, 1100, seed, comm), 150, false, seed, comm);
        const auto b = sample_neurons(preset_network_of(Preset::quadstable, 900, 7, comm), 170, false, seed, comm);
        const auto found = sinkhorn_divergence(a.loadings, b.loadings, {.blur = 0.1}, comm);
        const auto published =
            sinkhorn_divergence(a.loadings, b.loadings, {.schedule = SinkhornSchedule::geomloss}, comm);
        return std::vector{found.divergence,
                           found.residual,
                           static_cast<double>(found.iterations),
                           published.divergence,
                           sliced_transport(a.loadings, b.loadings, 9, seed, comm),
                           conditional_error(b.loadings, b.n, preset_conditional_mean(Preset::bistable), 2, comm),
                           a.n.front()};
      },
      "Sinkhorn divergence");
}

TEST(DistancesOnRanks, Weights) {
  compare_with_one_rank(
      [](const Communicator& comm, std::uint64_t seed) {
        const auto a = preset_network_of(Preset::bistable, 1300, seed, comm);
        const auto b = preset_network_of(Preset::limit_cycle, 1300, 7, comm);
        const auto found =
            correlate_weights(a, b, sample_neurons(a, 40, false, 1, comm), sample_neurons(b, 40, false, 1, comm), comm);
        return std::vector{*found.weights, *found.effective_weights, *found.sorted_effective_weights};
      },
      "correlations of weights");
}

TEST(DistancesOnRanks, Populations) {
  compare_with_one_rank(
      [](const Communicator& comm, std::uint64_t seed) {
        const auto network = preset_network_of(Preset::quadstable, 1100, 3, comm);
        const config::PopulationsOptions options{
            .seed = static_cast<std::int64_t>(seed), .most = 5, .neurons = 800, .starts = 2};
        const auto found = find_populations(network, options, comm);
        std::vector<double> numbers{found.mean_certainty, found.log_likelihood};
        for (const auto& score : found.selection->scores)
          numbers.insert(numbers.end(), {score.log_likelihood, score.standard_error, score.shortfall, score.bic});
        for (const auto& mean : found.mixture.means) numbers.insert(numbers.end(), mean.begin(), mean.end());
        const auto flow = flow_field(network, make_grid(2, 2.0, 4, 1), {}, found.labels, found.count(), comm);
        numbers.insert(numbers.end(), flow.total.begin(), flow.total.end());
        for (const auto& drive : flow.drive) numbers.insert(numbers.end(), drive.begin(), drive.end());
        return numbers;
      },
      "populations");
}

}  // namespace
}  // namespace rankflow::analysis
