#include <gtest/gtest.h>
#include <mpi.h>

#include <cmath>
#include <vector>

#include "parallel/draws.hpp"
#include "smc/filter_weights.hpp"

namespace rankflow::smc {
namespace {

using config::Resampling;

constexpr std::int64_t L = block_lanes;
constexpr std::int64_t rows = 2;
constexpr std::int64_t stride = 3;  // more rows than travel

/// A population over the ranks, resampled once, beside what one process finds by hand.
struct Population {
  Population(std::int64_t trials, std::int64_t particles, Resampling scheme, const parallel::Communicator& comm)
      : layout(trials, particles, comm.size(), comm.rank()),
        exchange(layout, comm, rows),
        weights(layout, {.particles = particles, .resampling = scheme}, comm, exchange),
        normalised(static_cast<std::size_t>(layout.local_blocks() * L)),
        slots(static_cast<std::size_t>(exchange.slot_values())),
        sends(static_cast<std::size_t>(layout.ranks())),
        receives(static_cast<std::size_t>(layout.ranks())),
        genealogy{slots.data(), sends.data(), receives.data()} {
    const parallel::Stream stream(2, parallel::Purpose::test);
    std::vector<double> uniforms(static_cast<std::size_t>(trials * particles));
    parallel::uniform<double>(stream, {}, 0, uniforms);
    for_each_lane([&](std::int64_t trial, std::int64_t particle, std::size_t lane) {
      // Half the weight lies on a few particles, so that some have no offspring and some many.
      const double u = uniforms[static_cast<std::size_t>(trial * particles + particle)];
      normalised[lane] = 12 * std::log(u);
    });
    weights.normalise(normalised.data());
    weights.choose_offspring(normalised.data(), parallel::Stream(3, parallel::Purpose::resampling), 7, genealogy);
    exchange.plan(weights.block_slots(), genealogy);
  }

  /// action(trial, particle, index of the lane among the local blocks)
  template <class Action>
  void for_each_lane(const Action& action) const {
    for (std::int64_t local = 0; local < layout.local_blocks(); ++local) {
      const Block block = layout.block(layout.first_block() + local);
      for (std::int64_t p = 0; p < block.lanes(); ++p)
        action(block.first_trial + p / block.particles, block.first_particle + p % block.particles,
               static_cast<std::size_t>(local * L + p));
    }
  }
  static std::size_t place(std::size_t lane, std::int64_t row) {
    const auto block = static_cast<std::int64_t>(lane) / L;
    return static_cast<std::size_t>((block * stride + row) * L + static_cast<std::int64_t>(lane) % L);
  }
  std::vector<double> states() const {
    return std::vector<double>(static_cast<std::size_t>(layout.local_blocks() * stride * L), -1.0);
  }

  /// Ancestor of every slot of every trial, known to all ranks.
  std::vector<std::int64_t> ancestors(const parallel::Communicator& comm) const {
    std::vector<std::int64_t> all(static_cast<std::size_t>(layout.trials() * layout.particles()), 0);
    for (std::int64_t local = 0; local < layout.local_blocks(); ++local) {
      const Block block = layout.block(layout.first_block() + local);
      for (std::int64_t t = 0; t < block.trials; ++t) {
        const std::int64_t* first = slots.data() + exchange.slot_offset(local) + t * (block.particles + 1);
        for (std::int64_t k = 0; k < block.particles; ++k)
          for (std::int64_t slot = first[k]; slot < first[k + 1]; ++slot)
            all[static_cast<std::size_t>((block.first_trial + t) * layout.particles() + slot)] +=
                block.first_particle + k + 1;
      }
    }
    comm.sum(all);
    for (auto& ancestor : all) --ancestor;
    return all;
  }

  ParticleLayout layout;
  OffspringExchange exchange;
  FilterWeights weights;
  std::vector<double> normalised;
  std::vector<std::int64_t> slots, sends, receives;
  Genealogy genealogy;
};

/// A number that names trial, particle and row.
double name(std::int64_t trial, std::int64_t particle, std::int64_t row) {
  return static_cast<double>((trial * 100000 + particle) * 10 + row) + 0.25;
}

/// A number for the adjoint of a slot that rounds when it is added to others.
double pull(std::int64_t trial, std::int64_t slot, std::int64_t row) {
  return std::sin(static_cast<double>(trial * 7919 + slot * 31 + row) + 0.5);
}

class Exchange : public ::testing::TestWithParam<Resampling> {};

TEST_P(Exchange, BringsParticlesToTheirSlotsAndAdjointsBack) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  for (const auto& sizes : {std::pair{1, 1}, {9, 20}, {1, 333}, {5, 200}, {2, 1000}}) {
    const int trials = sizes.first, particles = sizes.second;  // clang 14 captures no bindings
    SCOPED_TRACE(::testing::Message() << trials << " trials of " << particles);
    Population all(trials, particles, GetParam(), world);
    const auto ancestors = all.ancestors(world);
    const auto ancestor = [&](std::int64_t trial, std::int64_t slot) {
      return ancestors[static_cast<std::size_t>(trial * particles + slot)];
    };
    std::int64_t moved = 0;
    for (std::int64_t i = 0; i < trials * particles; ++i) {
      ASSERT_GE(ancestor(0, i), 0);
      ASSERT_LT(ancestor(0, i), particles);
      if (i % particles > 0) {
        ASSERT_GE(ancestor(0, i), ancestor(0, i - 1)) << "slots follow their ancestors";
      }
      moved += ancestor(0, i) == i % particles ? 0 : 1;
    }
    EXPECT_EQ(moved > 0, particles > 1) << "somebody must move";

    auto from = all.states();
    auto to = all.states();
    all.for_each_lane([&](std::int64_t trial, std::int64_t particle, std::size_t lane) {
      for (std::int64_t r = 0; r < stride; ++r) from[Population::place(lane, r)] = name(trial, particle, r);
    });
    all.exchange.forward(all.genealogy, from.data(), stride, to.data(), stride);
    all.for_each_lane([&](std::int64_t trial, std::int64_t slot, std::size_t lane) {
      for (std::int64_t r = 0; r < rows; ++r)
        EXPECT_EQ(to[Population::place(lane, r)], name(trial, ancestor(trial, slot), r));
      EXPECT_EQ(to[Population::place(lane, rows)], -1.0) << "a row that does not travel";
    });

    auto to_adjoint = all.states();
    auto from_adjoint = all.states();
    all.for_each_lane([&](std::int64_t trial, std::int64_t slot, std::size_t lane) {
      for (std::int64_t r = 0; r < stride; ++r) {
        to_adjoint[Population::place(lane, r)] = pull(trial, slot, r);
        from_adjoint[Population::place(lane, r)] = 0.5;
      }
    });
    all.exchange.backward(all.genealogy, to_adjoint.data(), stride, from_adjoint.data(), stride);
    all.for_each_lane([&](std::int64_t trial, std::int64_t particle, std::size_t lane) {
      for (std::int64_t r = 0; r < stride; ++r) {
        double expected = 0.5;
        for (std::int64_t slot = 0; slot < particles && r < rows; ++slot)
          if (ancestor(trial, slot) == particle) expected += pull(trial, slot, r);
        EXPECT_EQ(from_adjoint[Population::place(lane, r)], expected) << "to the bit: slots are added in their order";
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Schemes, Exchange,
                         ::testing::Values(Resampling::multinomial, Resampling::stratified, Resampling::systematic,
                                           Resampling::residual));

}  // namespace
}  // namespace rankflow::smc
