// The divergence has the same bits on any number of ranks.
#include <gtest/gtest.h>

#include "analysis/analysis_support.hpp"
#include "analysis/state_divergence.hpp"

namespace rankflow::analysis {
namespace {

TEST(StateDivergenceOnRanks, HasTheBitsOfOneRank) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const parallel::Communicator alone;
  const auto data = normal_series(1, 700, 6, 1), generated = normal_series(1, 900, 6, 2);
  for (const std::int64_t samples : {1, 31, 1000}) {
    DivergenceOptions options{.samples = samples, .seed = 4};
    const auto found = state_divergence(data, generated, options, world);
    const auto expected = state_divergence(data, generated, options, alone);
    EXPECT_EQ(found.complete, expected.complete);
    EXPECT_EQ(found.published, expected.published);
    EXPECT_EQ(found.underflows, expected.underflows);
    options.comparison = 1;
    EXPECT_NE(state_divergence(data, generated, options, world).complete, expected.complete) << "control";
  }
}

}  // namespace
}  // namespace rankflow::analysis
