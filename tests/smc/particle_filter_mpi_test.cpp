#include <gtest/gtest.h>
#include <mpi.h>

#include "core/error.hpp"
#include "smc/filter_support.hpp"

namespace rankflow::smc {
namespace {

using config::Proposal;
using config::Resampling;

struct Outcome {
  std::vector<double> log_likelihood, sample_size, gradient, guides;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct Setting {
  std::int64_t trials, particles;
  Proposal proposal;
  Resampling resampling;
  double threshold;
};

template <class T>
Outcome outcome(const Setting& setting, const parallel::Communicator& comm, std::uint64_t seed) {
  auto options = testing::small_options(9, 2);
  config::SmcOptions smc{.particles = setting.particles,
                         .proposal = setting.proposal,
                         .resampling = setting.resampling,
                         .threshold = setting.threshold};
  if (setting.proposal == Proposal::encoder) options.observation.kind = config::ObservationKind::poisson;
  LatentModel model(options, 3, 1);
  add_proposal_parameters(model, smc.proposal);
  const testing::SmallData data(model, setting.trials, 8);
  const auto parameters = testing::shaken_parameters(model);
  ParticleFilter<T> filter(model, smc, comm, setting.trials, 8);
  const auto gradient = filter.gradient(parameters, data.view(), {.seed = seed, .iteration = 4}, 0.5);
  return {gradient.result.log_likelihood,
          gradient.result.sample_size,
          {gradient.parameters.begin(), gradient.parameters.end()},
          {gradient.guides.begin(), gradient.guides.end()}};
}

/// Particles of one trial on several ranks, several trials on one, ranks without any: always the serial bits.
TEST(ParticleFilterRanks, GiveTheBitsOfOneProcess) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const parallel::Communicator serial;
  const Setting settings[] = {
      {1, 5, Proposal::optimal, Resampling::systematic, 1.0},
      {7, 20, Proposal::optimal, Resampling::systematic, 1.0},
      {1, 333, Proposal::optimal, Resampling::systematic, 1.0},
      {3, 150, Proposal::bootstrap, Resampling::stratified, 1.0},
      {2, 200, Proposal::encoder, Resampling::multinomial, 1.0},
      {1, 1000, Proposal::bootstrap, Resampling::residual, 1.0},
      {5, 130, Proposal::optimal, Resampling::systematic, 0.5},
      {3, 100, Proposal::encoder, Resampling::residual, 0.4},
  };
  for (const auto& setting : settings) {
    SCOPED_TRACE(::testing::Message() << setting.trials << " trials of " << setting.particles
                                      << " particles, resampling " << static_cast<int>(setting.resampling));
    const auto alone = outcome<double>(setting, serial, 1);
    EXPECT_TRUE(outcome<double>(setting, world, 1) == alone);
    EXPECT_TRUE(outcome<float>(setting, world, 1) == outcome<float>(setting, serial, 1));
    EXPECT_FALSE(outcome<double>(setting, world, 2) == alone) << "another seed must give other numbers";
  }
}

TEST(ParticleFilterRanks, AllThrowWhenOneTrialFails) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  auto options = testing::small_options(9, 2);
  const LatentModel model(options, 3, 0);
  testing::SmallData data(model, 5, 4);
  data.observation(3, 2, 1, 3) = 1e200;
  ParticleFilter<double> filter(model, {.particles = 4, .proposal = Proposal::bootstrap}, world, 5, 4);
  try {
    filter.run(testing::shaken_parameters(model), data.view(), {});
    FAIL() << "an observation that no particle explains must be an error";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("trial 3 have weight zero at step 2"), std::string::npos) << error.what();
  }
}

/// Ranks without a trial have nothing that could fail: they must hear of it, and all must be able to go on.
TEST(ParticleFilterRanks, AllThrowWhenTheProposalOfOneRankFails) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const parallel::Communicator serial;
  auto options = testing::small_options(9, 2);
  const LatentModel model(options, 3, 0);
  options.noise.initial_std = 1e-200;
  const LatentModel collapsed(options, 3, 0);
  const testing::SmallData data(model, 1, 4);
  const config::SmcOptions smc{.particles = 4, .proposal = Proposal::optimal};
  ParticleFilter<double> filter(model, smc, world, 1, 4);
  EXPECT_THROW(filter.run(collapsed.initial_parameters(1), data.view(), {}), NumericalError);
  const auto start = model.initial_parameters(1);
  const auto after = filter.run(start, data.view(), {});
  ParticleFilter<double> alone(model, smc, serial, 1, 4);
  EXPECT_EQ(after.log_likelihood, alone.run(start, data.view(), {}).log_likelihood);
}

}  // namespace
}  // namespace rankflow::smc
