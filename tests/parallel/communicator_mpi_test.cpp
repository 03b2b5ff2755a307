#include "parallel/communicator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "parallel/partition.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::parallel {
namespace {

Communicator world() {
  return Communicator::duplicate(MPI_COMM_WORLD);
}

TEST(Communicator, SumsMaximaAndBroadcastsReachEveryRank) {
  const auto comm = world();
  std::vector<std::int64_t> values{comm.rank() + 1, 10};
  comm.sum(values);
  EXPECT_EQ(values[0], comm.size() * (comm.size() + 1) / 2);
  EXPECT_EQ(values[1], 10 * comm.size());

  std::vector<double> extremes{static_cast<double>(comm.rank())};
  comm.maximum(extremes);
  EXPECT_EQ(extremes[0], comm.size() - 1);
  extremes[0] = comm.rank();
  comm.minimum(extremes);
  EXPECT_EQ(extremes[0], 0.0);

  EXPECT_TRUE(comm.any(comm.rank() == comm.size() - 1));
  EXPECT_FALSE(comm.any(false));

  std::string text = comm.is_root() ? "from the root" : "";
  comm.broadcast(text);
  EXPECT_EQ(text, "from the root");
}

TEST(Communicator, NonBlockingSumCompletesOnWait) {
  const auto comm = world();
  std::vector<std::int64_t> values(1000, comm.rank());
  auto request = comm.start_sum(values);
  request.wait();
  EXPECT_EQ(values, std::vector<std::int64_t>(1000, comm.size() * (comm.size() - 1) / 2));
}

TEST(Communicator, GathersUnequalAndEmptyPieces) {
  const auto comm = world();
  std::vector<std::int64_t> counts;
  for (int r = 0; r < comm.size(); ++r) counts.push_back(r == 1 ? 0 : 3 + r);
  const std::vector<double> mine(static_cast<std::size_t>(counts[static_cast<std::size_t>(comm.rank())]), comm.rank());
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm.all_gather(std::span<const double>(mine), all, counts);
  std::size_t position = 0;
  for (int r = 0; r < comm.size(); ++r)
    for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(r)]; ++i) EXPECT_EQ(all[position++], r);
}

struct Particle {
  float latent;
  std::int64_t ancestor;
  friend bool operator==(const Particle&, const Particle&) = default;
};

/// What rank `from` sends to rank `to`: a number of particles that depends on both and may be 0.
std::vector<Particle> parcel(int from, int to) {
  const auto count = static_cast<std::size_t>((7 * from + 3 * to) % 5);
  return {count, Particle{static_cast<float>(from), 100 * from + to}};
}

TEST(Communicator, ExchangesUnequalAndEmptyPieces) {
  const auto comm = world();
  std::vector<Particle> send;
  std::vector<Particle> expected;
  std::vector<std::int64_t> send_counts;
  std::vector<std::int64_t> receive_counts;
  for (int r = 0; r < comm.size(); ++r) {
    const auto out = parcel(comm.rank(), r);
    const auto in = parcel(r, comm.rank());
    send.insert(send.end(), out.begin(), out.end());
    expected.insert(expected.end(), in.begin(), in.end());
    send_counts.push_back(std::ssize(out));
    receive_counts.push_back(std::ssize(in));
  }
  std::vector<Particle> received(expected.size(), Particle{-1, -1});
  for (int repetition = 0; repetition < 3; ++repetition)
    comm.all_to_all(std::span<const Particle>(send), send_counts, received, receive_counts);
  EXPECT_EQ(received, expected);
  if (comm.size() > 1) {
    EXPECT_NE(received, send) << "control";
  }
  receive_counts.back() += 1;
  EXPECT_THROW(comm.all_to_all(std::span<const Particle>(send), send_counts, received, receive_counts), InternalError);
}

TEST(Communicator, SerialTwinExchangesWithItself) {
  const Communicator alone;
  const std::vector<float> send{1, 2, 3};
  const std::vector<std::int64_t> counts{3};
  std::vector<float> received(3);
  alone.all_to_all(std::span<const float>(send), counts, received, counts);
  EXPECT_EQ(received, send);
  std::ranges::fill(received, 0.0F);
  alone.all_gather(std::span<const float>(send), received, counts);
  EXPECT_EQ(received, send);
}

TEST(Communicator, SplitFormsGroupsAndMovesOwnership) {
  const auto comm = world();
  auto group = comm.split(comm.rank() % 2);
  EXPECT_EQ(group.size(), (comm.size() + (comm.rank() % 2 == 0 ? 1 : 0)) / 2);
  const int size = group.size();
  const Communicator moved = std::move(group);
  EXPECT_EQ(moved.size(), size);
}

TEST(ReproducibleSum, SameBitsAsOneRankAlone) {
  const auto comm = world();
  std::mt19937_64 generator(11);
  std::normal_distribution<double> normal;
  std::vector<double> tile_sums(37);
  for (auto& value : tile_sums) value = std::ldexp(normal(generator), static_cast<int>(generator() % 60));
  // Every rank knows all summands; it adds those of its own tiles.
  const Partition partition(std::ssize(tile_sums) * tile_size, comm.size(), comm.rank());
  ReproducibleSum distributed(1);
  ReproducibleSum alone(1);
  for (std::size_t i = 0; i < tile_sums.size(); ++i) {
    alone.add(0, tile_sums[i]);
    const auto first = static_cast<std::int64_t>(i) * tile_size;
    if (first >= partition.begin() && first < partition.end()) distributed.add(0, tile_sums[i]);
  }
  double shared = 0;
  double expected = 0;
  distributed.reduce(comm, std::span(&shared, 1));
  alone.reduce(Communicator(), std::span(&expected, 1));
  EXPECT_EQ(shared, expected);
  tile_sums[0] += 1e-12 * expected;
  double changed = 0;
  for (const double value : tile_sums) alone.add(0, value);
  alone.reduce(Communicator(), std::span(&changed, 1));
  EXPECT_NE(changed, expected) << "control: another summand gives another sum";
}

/// Summands of sum `index`, known to every rank: both signs, magnitudes that `exponents` spreads, cancelling pairs.
std::vector<double> summands(std::size_t index, int exponents) {
  std::mt19937_64 generator(100 + index);
  std::normal_distribution<double> normal(index % 3 == 0 ? -5.0 : 0.0, 1.0);
  std::vector<double> values(23);
  for (auto& value : values)
    value =
        std::ldexp(normal(generator), static_cast<int>(generator() % static_cast<unsigned>(exponents)) - exponents / 2);
  values.push_back(-values[index % 23]);
  return values;
}

/// `count` sums over all ranks, rank r adding every size-th summand from r on; and the same by one rank alone.
std::pair<std::vector<double>, std::vector<double>> shared_and_alone(const Communicator& comm, std::size_t count,
                                                                     int exponents) {
  ReproducibleSum distributed(count);
  ReproducibleSum single(count);
  for (std::size_t k = 0; k < count; ++k) {
    const auto values = summands(k, exponents);
    for (std::size_t i = 0; i < values.size(); ++i) {
      single.add(k, values[i]);
      if (std::cmp_equal(i % static_cast<std::size_t>(comm.size()), comm.rank())) distributed.add(k, values[i]);
    }
  }
  std::vector<double> shared(count);
  std::vector<double> alone(count);
  distributed.reduce(comm, shared);
  single.reduce(Communicator(), alone);
  return {shared, alone};
}

TEST(ReproducibleSum, ManySumsOfAnySignAndMagnitudeAreThoseOfOneRank) {
  const auto comm = world();
  // From 15 sums on the message is cut to the words in use; 1900 binary exponents use nearly all of them.
  for (const std::size_t count : {1U, 14U, 15U, 400U})
    for (const int exponents : {1, 60, 1900}) {
      const auto [shared, alone] = shared_and_alone(comm, count, exponents);
      EXPECT_EQ(shared, alone) << count << " sums over " << exponents << " exponents";
      EXPECT_NE(shared, std::vector<double>(count, 0.0)) << "control";
    }
}

TEST(ReproducibleSum, ManySumsMayCancelOrNotBeFinite) {
  const auto comm = world();
  const std::size_t count = 50;
  ReproducibleSum sum(count);
  std::vector<double> values(count);
  sum.reduce(comm, values);
  EXPECT_EQ(values, std::vector<double>(count, 0.0)) << "nothing added";
  // Sums that vanish only over all ranks: rank 0 holds what the others take away.
  for (std::size_t k = 0; k < count; ++k) sum.add(k, comm.is_root() ? 0x1p-1000 * (comm.size() - 1) : -0x1p-1000);
  if (comm.is_root()) sum.add(7, std::numeric_limits<double>::infinity());
  if (comm.rank() == comm.size() - 1) sum.add(8, std::numeric_limits<double>::quiet_NaN());
  sum.reduce(comm, values);
  for (std::size_t k = 0; k < count; ++k) {
    if (k == 7)
      EXPECT_EQ(values[k], std::numeric_limits<double>::infinity());
    else if (k == 8)
      EXPECT_TRUE(std::isnan(values[k]));
    else
      EXPECT_EQ(values[k], 0.0) << k;
  }
  sum.add(3, 0.5);
  sum.reduce(comm, values);
  EXPECT_EQ(values[3], 0.5 * comm.size()) << "cleared by the reduction before";
  EXPECT_EQ(values[8], 0.0);
}

}  // namespace
}  // namespace rankflow::parallel
