#include <cstring>

#include <gtest/gtest.h>

#include "analysis/fixed_points.hpp"
#include "fixed_points_support.hpp"

namespace rankflow::analysis {
namespace {

using model::Activation;
using parallel::Communicator;

/// Everything a report says, as numbers whose bits can be compared.
std::vector<double> numbers(const FixedPointReport& report) {
  std::vector<double> all;
  for (const auto& point : report.points) {
    all.insert(all.end(), point.place.begin(), point.place.end());
    for (const auto& value : point.linear.eigenvalues) all.insert(all.end(), {value.real(), value.imag()});
    all.insert(all.end(), {point.residual, point.basin, point.boundary_distance, static_cast<double>(point.kind)});
  }
  for (const auto& search : report.cycles)
    for (const auto& cycle : search.cycles)
      all.insert(all.end(), cycle.points.data(), cycle.points.data() + cycle.points.size());
  const auto& effort = report.effort;
  all.insert(all.end(), {static_cast<double>(effort.regions), static_cast<double>(effort.successes),
                         report.basins.diverged, report.basins.elsewhere});
  return all;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

void compare(const LatentMap& map, const config::FixedPointsOptions& options, const char* what) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  const auto quiet = [](const std::string&, double) {};
  const auto together = numbers(find_fixed_points(map, options, 1, world, quiet));
  const auto alone = numbers(find_fixed_points(map, options, 1, Communicator(), quiet));
  EXPECT_GT(together.size(), 8U) << what;
  EXPECT_TRUE(same_bits(together, alone)) << what << " on " << world.size() << " ranks";
  const auto other = numbers(find_fixed_points(map, options, 2, world, quiet));
  EXPECT_FALSE(same_bits(together, other)) << what << ", control: another seed";
}

TEST(FixedPointsOnRanks, ExactSearch) {
  config::FixedPointsOptions options;
  options.basin_starts = 100;
  compare({Activation::clipped_relu, 0.0, random_arrays(25, 3, 21)}, options, "clipped relu");
  compare({Activation::relu, 0.0, random_arrays(40, 2, 22, false)}, options, "no bias");
}

TEST(FixedPointsOnRanks, Newton) {
  config::FixedPointsOptions options;
  options.starts = 200;
  options.basin_starts = 100;
  auto arrays = random_arrays(30, 2, 23, true, 40.0);
  compare({Activation::tanh, 0.0, arrays}, options, "tanh");
}

TEST(FixedPointsOnRanks, Cycles) {
  config::FixedPointsOptions options;
  options.cycles = 3;
  options.cycle_crossings = 1e5;  // order 2 exactly, order 3 from random starts
  options.starts = 600;
  options.basin_starts = 10;
  compare({Activation::relu, 0.0, random_arrays(8, 2, 24, true, -60.0)}, options, "cycles");
}

}  // namespace
}  // namespace rankflow::analysis
