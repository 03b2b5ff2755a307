#include <gtest/gtest.h>

#include <mpi.h>

#include "flow/flow_support.hpp"
#include "flow/log_density.hpp"
#include "flow/training.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::flow {
namespace {

using testing::network_of;
using testing::normal_numbers;

parallel::Communicator world() {
  return parallel::Communicator::duplicate(MPI_COMM_WORLD);
}

/// A training as all ranks do it together, or one alone.
struct Lesson {
  static constexpr std::int64_t epochs = 4;
  std::vector<double> x = normal_numbers(2 * 333, 1);
  std::vector<double> conditions = normal_numbers(333, 2);
  Flow flow = make_flow(network_of(2, 24), 2, 1, 3);
  config::FlowTrainingOptions options;
  std::uint64_t seed = 6;
  std::vector<double> losses;

  /// Minibatches of `batch`; the last of an epoch is smaller.
  explicit Lesson(std::int64_t batch) {
    options.batch = batch;
    options.average_memory = 0.9;
    options.optimiser.clip_norm = 1.0;
  }
  FlowTraining training() const { return {flow, options, seed, 100}; }
  void go_on(const parallel::Communicator& comm, FlowTraining& training, std::int64_t first, std::int64_t end) {
    for (std::int64_t epoch = first; epoch < end; ++epoch)
      losses.push_back(training.epoch(comm, {x, conditions}, epoch));
    losses.push_back(training.loss(comm, {x, conditions}));
  }
  std::vector<double> whole(const parallel::Communicator& comm) {
    auto one = training();
    go_on(comm, one, 0, epochs);
    return one.state();
  }
};

TEST(FlowTraining, HasTheBitsOfOneRank) {
  const auto comm = world();
  const parallel::Communicator alone;
  for (const std::int64_t batch : {8, 64, 100, 333}) {  // of 1, 2, 4 and 11 shards: fewer than ranks, and more
    Lesson together(batch);
    Lesson serial(batch);
    EXPECT_EQ(together.whole(comm), serial.whole(alone)) << "batches of " << batch;
    EXPECT_EQ(together.losses, serial.losses) << "batches of " << batch;
    Lesson other(batch);
    other.seed = 7;
    EXPECT_NE(other.whole(comm), serial.whole(alone)) << "control: another seed";
  }
}

TEST(FlowTraining, GoesOnAtAnyRankCount) {
  const auto comm = world();
  const parallel::Communicator alone;
  Lesson straight(64);
  const auto expected = straight.whole(alone);
  // Begun by one rank, ended by all.
  Lesson resumed(64);
  auto begun = resumed.training();
  resumed.go_on(alone, begun, 0, 2);
  auto ended = resumed.training();
  ended.restore(begun.steps(), begun.state());
  resumed.go_on(comm, ended, 2, Lesson::epochs);
  EXPECT_EQ(ended.state(), expected);
  auto forgetful = resumed.training();
  forgetful.restore(0, begun.state());
  resumed.go_on(comm, forgetful, 2, Lesson::epochs);
  EXPECT_NE(forgetful.state(), expected) << "control: steps that were not restored";
}

TEST(Entropy, HasTheBitsOfOneRank) {
  const auto comm = world();
  const parallel::Communicator alone;
  const auto flow = make_flow(network_of(1, 8), 2, 1, 3);
  const auto conditions = normal_numbers(1300, 1);
  LogDensityOptions options;
  options.integrator.steps = 5;
  const auto of = [&](const parallel::Communicator& ranks, std::uint64_t seed) {
    const auto found =
        entropy(ranks, flow, options, {.steps = 5}, parallel::Stream(seed, parallel::Purpose::test), 1300, conditions);
    return std::vector<double>{found.nats, found.error};
  };
  EXPECT_EQ(of(comm, 1), of(alone, 1));
  EXPECT_NE(of(comm, 2), of(alone, 1)) << "control";
}

}  // namespace
}  // namespace rankflow::flow
