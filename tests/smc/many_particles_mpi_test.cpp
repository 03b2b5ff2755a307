#include <gtest/gtest.h>
#include <mpi.h>

#include "smc/filter_support.hpp"

namespace rankflow::smc {
namespace {

struct Outcome {
  std::vector<double> log_likelihood, sample_size, gradient;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class T>
Outcome outcome(const parallel::Communicator& comm, config::Proposal proposal, std::uint64_t seed) {
  constexpr std::int64_t times = 4;
  const LatentModel model(testing::small_options(8, 3), 4, 1);
  const testing::SmallData data(model, 1, times);
  ParticleFilter<T> filter(model, {.particles = 100000, .proposal = proposal}, comm, 1, times);
  const auto found = filter.gradient(testing::shaken_parameters(model), data.view(), {.seed = seed}, 1.0);
  return {found.result.log_likelihood, found.result.sample_size, {found.parameters.begin(), found.parameters.end()}};
}

template <class T>
void expect_equal(config::Proposal proposal) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const parallel::Communicator serial;
  const auto alone = outcome<T>(serial, proposal, 1);
  const auto together = outcome<T>(world, proposal, 1);
  EXPECT_EQ(together.log_likelihood, alone.log_likelihood);
  EXPECT_EQ(together.sample_size, alone.sample_size);
  EXPECT_EQ(together.gradient, alone.gradient);
  EXPECT_FALSE(outcome<T>(world, proposal, 2) == alone) << "another seed must give other numbers";
}

TEST(HundredThousandParticles, GiveTheBitsOfOneProcess) {
  for (const auto proposal : {config::Proposal::optimal, config::Proposal::bootstrap}) {
    SCOPED_TRACE(proposal == config::Proposal::optimal ? "optimal" : "bootstrap");
    expect_equal<float>(proposal);
    expect_equal<double>(proposal);
  }
}

}  // namespace
}  // namespace rankflow::smc
