// The report has the same bits on any number of ranks, neuron by neuron.
#include <gtest/gtest.h>

#include "analysis/identifiability_file.hpp"
#include "analysis/identifiability_support.hpp"

namespace rankflow::analysis {
namespace {

IdentifiabilityReport report_on(const parallel::Communicator& comm, double penalty) {
  const NetworkPlan plan{.neurons = 1500, .inputs = 1, .bias = true};
  const auto whole = drawn_network(plan);
  auto states = drawn_states(whole, 200, 0.05);
  add_drive(whole, states);
  return analyzed(drawn_network(plan, comm.size(), comm.rank()), states, {.penalty = penalty, .grid = 6}, comm);
}

TEST(IdentifiabilityOnRanks, HasTheBitsOfOneRank) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const parallel::Partition mine(1500, world.size(), world.rank());
  const auto found = report_on(world, 1e-3);
  const auto expected = report_on({}, 1e-3);
  EXPECT_EQ(identifiability_text(found), identifiability_text(expected));
  EXPECT_EQ(found.spectrum.eigenvalues, expected.spectrum.eigenvalues);
  EXPECT_EQ(found.coverage.deviation, expected.coverage.deviation);
  EXPECT_EQ(found.parts.free_drive, expected.parts.free_drive);
  for (std::size_t f = 0; f < expected.functionals.size(); ++f) {
    EXPECT_EQ(found.functionals[f].estimate, expected.functionals[f].estimate);
    EXPECT_EQ(found.functionals[f].deviation, expected.functionals[f].deviation);
  }
  for (std::int64_t i = 0; i < mine.count(); ++i) {
    EXPECT_EQ(found.parts.resolution.at(i, 0), expected.parts.resolution.at(mine.begin() + i, 0));
    EXPECT_EQ(found.parts.required_part.at(i, 1), expected.parts.required_part.at(mine.begin() + i, 1));
    EXPECT_EQ(found.parts.estimate.at(i, 0), expected.parts.estimate.at(mine.begin() + i, 0));
  }
  EXPECT_NE(identifiability_text(report_on(world, 2e-3)), identifiability_text(expected)) << "control";
}

TEST(IdentifiabilityOnRanks, LargestMagnitudesAreThoseOfAll) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const auto whole = drawn(1, 7, 0, 1000);
  const parallel::Partition mine(1000, world.size(), world.rank());
  const auto part = drawn(1, 7, mine.begin(), mine.count());
  const auto expected = largest_magnitudes(whole, 40, {});
  EXPECT_EQ(largest_magnitudes(part, 40, world), expected);
  EXPECT_EQ(expected.size(), 40U);
  EXPECT_NE(largest_magnitudes(part, 41, world), expected) << "control";
}

}  // namespace
}  // namespace rankflow::analysis
