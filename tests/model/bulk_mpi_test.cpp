#include "model/bulk.hpp"

#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::BulkKind;
using parallel::Communicator;
using parallel::Partition;

/// g chi r for the neurons of the partition.
std::vector<double> product(const config::BulkOptions& options, const Partition& partition, const Communicator& comm,
                            std::uint64_t seed) {
  NeuronArray<double> rates(partition, 1);
  NeuronArray<double> out(partition, 1);
  for (std::int64_t i = 0; i < partition.count(); ++i)
    rates.at(i, 0) = std::tanh(std::sin(1.3 * static_cast<double>(partition.begin() + i)));
  make_bulk(options, partition, comm, seed)->add_product(rates, out);
  return column(out, partition, 0);
}

struct Case {
  BulkKind kind;
  std::int64_t neurons;
  std::int64_t in_degree;
  bool dale;
};

class BulkOnRanks : public testing::TestWithParam<Case> {};

TEST_P(BulkOnRanks, ProductHasTheBitsOfOneRankAlone) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  const auto [kind, neurons, in_degree, dale] = GetParam();
  config::BulkOptions options;
  options.kind = kind;
  options.gain = 1.5;
  options.in_degree = in_degree;
  options.dale = dale;
  const Partition mine(neurons, world.size(), world.rank());
  const Partition whole(neurons, 1, 0);
  const auto found = product(options, mine, world, 9);
  const auto expected = product(options, whole, Communicator(), 9);
  const auto other = product(options, whole, Communicator(), 10);
  ASSERT_EQ(std::ssize(found), mine.count());
  for (std::int64_t i = 0; i < mine.count(); ++i) {
    const auto global = static_cast<std::size_t>(mine.begin() + i);
    ASSERT_EQ(found[static_cast<std::size_t>(i)], expected[global]) << "neuron " << global;
    ASSERT_NE(expected[global], other[global]) << "control: another seed";
  }
}

// 2100 neurons: five tiles, the last one not full. 600: two tiles, so that some ranks of four have none.
INSTANTIATE_TEST_SUITE_P(Kinds, BulkOnRanks,
                         testing::Values(Case{BulkKind::sparse, 2100, 100, false},
                                         Case{BulkKind::sparse, 2100, 7, true}, Case{BulkKind::sparse, 600, 900, false},
                                         Case{BulkKind::procedural, 2100, 100, false},
                                         Case{BulkKind::procedural, 2100, 3000, true},
                                         Case{BulkKind::procedural, 600, 0, false}));

TEST(BulkOnRanks, SeveralMatricesComeAndGo) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  config::BulkOptions options;
  options.kind = BulkKind::sparse;
  options.in_degree = 20;
  options.gain = 1.0;
  const Partition partition(1500, world.size(), world.rank());
  const auto first = product(options, partition, world, 1);
  {
    const auto outer = make_bulk(options, partition, world, 2);
    EXPECT_EQ(product(options, partition, world, 1), first);
  }
  EXPECT_EQ(product(options, partition, world, 1), first);
}

}  // namespace
}  // namespace rankflow::model
