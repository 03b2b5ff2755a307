#include "model/bulk.hpp"

#include <complex>

#include <Eigen/Dense>

#include "model/sparse_bulk.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::BulkKind;
using config::BulkOptions;
using parallel::Communicator;
using parallel::Partition;

BulkOptions options_of(BulkKind kind, std::int64_t in_degree, double gain = 1.5, bool dale = false) {
  BulkOptions options;
  options.kind = kind;
  options.gain = gain;
  options.in_degree = in_degree;
  options.dale = dale;
  return options;
}

std::vector<double> product(const BulkOptions& options, const std::vector<double>& rates, std::uint64_t seed = 5) {
  const Communicator serial;
  const Partition partition(std::ssize(rates), 1, 0);
  NeuronArray<double> in(partition, 1);
  NeuronArray<double> out(partition, 1);
  for (std::int64_t i = 0; i < std::ssize(rates); ++i) in.at(i, 0) = rates[static_cast<std::size_t>(i)];
  make_bulk(options, partition, serial, seed)->add_product(in, out);
  return column(out, partition, 0);
}

std::vector<double> waves(std::size_t count) {
  std::vector<double> rates(count);
  for (std::size_t i = 0; i < count; ++i) rates[i] = std::sin(0.7 * static_cast<double>(i) + 0.1);
  return rates;
}

/// The whole matrix, column by column.
Eigen::MatrixXd matrix(const BulkOptions& options, std::int64_t size, std::uint64_t seed = 5) {
  const Communicator serial;
  const Partition partition(size, 1, 0);
  const auto bulk = make_bulk(options, partition, serial, seed);
  Eigen::MatrixXd result(size, size);
  for (std::int64_t j = 0; j < size; ++j) {
    NeuronArray<double> unit(partition, 1);
    NeuronArray<double> out(partition, 1);
    unit.at(j, 0) = 1.0;
    bulk->add_product(unit, out);
    for (std::int64_t i = 0; i < size; ++i) result(i, j) = out.at(i, 0);
  }
  return result;
}

double spectral_radius(const Eigen::MatrixXd& m) {
  return Eigen::EigenSolver<Eigen::MatrixXd>(m, false).eigenvalues().cwiseAbs().maxCoeff();
}

TEST(Bulk, SpectralRadiusIsTheGain) {
  // At N = 400 the edge fluctuates by about N^(-1/2) = 5 % of the radius and lies about 2 % outside.
  EXPECT_NEAR(spectral_radius(matrix(options_of(BulkKind::procedural, 0, 1.5), 400)), 1.5, 0.2);
  EXPECT_NEAR(spectral_radius(matrix(options_of(BulkKind::sparse, 100, 1.5), 400)), 1.5, 0.2);
  EXPECT_NEAR(spectral_radius(matrix(options_of(BulkKind::procedural, 0, 0.5), 400)), 0.5, 0.07);
}

TEST(Bulk, ProductHasTheVarianceOfIndependentEntries) {
  constexpr std::size_t count = 3000;
  const std::vector<double> ones(count, 1.0);
  for (const auto& options :
       {options_of(BulkKind::procedural, 0), options_of(BulkKind::procedural, 60), options_of(BulkKind::sparse, 60)}) {
    const auto y = product(options, ones);
    expect_near(estimate(y), 0.0, "mean");
    expect_near(product_mean(y, y), 1.5 * 1.5, "variance: sum of squares of a row");
    std::vector<double> next(y.begin() + 1, y.end());
    expect_near(product_mean(next, std::span(y).first(count - 1)), 0.0, "rows are independent");
  }
}

TEST(Bulk, SparseAndProceduralAreTheSameMatrix) {
  for (const bool dale : {false, true}) {
    const auto rates = waves(1300);
    const auto stored = product(options_of(BulkKind::sparse, 2500, 1.2, dale), rates);
    const auto drawn = product(options_of(BulkKind::procedural, 2500, 1.2, dale), rates);
    const auto other = product(options_of(BulkKind::procedural, 2500, 1.2, dale), rates, 6);
    for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(stored[i], drawn[i], 1e-12);
    EXPECT_GT(std::abs(other[0] - drawn[0]) + std::abs(other[1] - drawn[1]), 1e-3) << "control";
  }
}

TEST(Bulk, EqualsTheSumOverItsEntries) {
  for (const auto kind : {BulkKind::sparse, BulkKind::procedural}) {
    const auto options = options_of(kind, 37, 0.9, true);
    const auto dense = matrix(options, 300);
    const auto rates = waves(300);
    const Eigen::VectorXd expected = dense * Eigen::Map<const Eigen::VectorXd>(rates.data(), 300);
    const auto found = product(options, rates);
    for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(found[i], expected(static_cast<Eigen::Index>(i)), 1e-13);
  }
}

TEST(Bulk, DaleGivesEachNeuronOneSignAndBalancesThem) {
  for (const auto kind : {BulkKind::sparse, BulkKind::procedural}) {
    const Eigen::Index size = 600;
    const auto m = matrix(options_of(kind, 200, 1.5, true), size);
    std::vector<double> is_excitatory;
    std::vector<double> row_squares;
    double strongest[2] = {0, 0};
    for (Eigen::Index j = 0; j < size; ++j) {
      EXPECT_TRUE(m.col(j).minCoeff() >= 0 || m.col(j).maxCoeff() <= 0) << "column " << j;
      is_excitatory.push_back(m.col(j).sum() > 0 ? 1.0 : 0.0);
      row_squares.push_back(m.row(j).squaredNorm());
      auto& s = strongest[m.col(j).sum() > 0];
      s = std::max(s, m.col(j).cwiseAbs().sum());
    }
    expect_near(estimate(is_excitatory), 0.8, "share of excitatory neurons");
    // Inhibition is 0.8 / 0.2 times as strong.
    EXPECT_NEAR(strongest[0] / strongest[1], 4.0, 1.0);
    // Draws of the same column add up: (K - 1) / N pairs per entry, E|xi|^2 = 2 / pi each. The tolerance is five times
    // the 6 % by which the mean of 600 squared strengths (1 or 16) varies.
    const double expected = 1.5 * 1.5 * (1 + 199.0 / 600 * 2 / std::acos(-1.0));
    EXPECT_NEAR(estimate(row_squares).mean, expected, 0.3 * expected);
  }
}

TEST(Bulk, ExpectedRowSumsUnderDale) {
  // Over many seeds the sum of a row has mean 0 and mean square g^2.
  const auto options = options_of(BulkKind::procedural, 5, 1.0, true);
  std::vector<double> sums;
  std::vector<double> squares;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const auto y = product(options, std::vector<double>(2000, 1.0), seed);
    sums.push_back(y[0]);
    squares.push_back(y[0] * y[0]);
  }
  expect_near(estimate(sums), 0.0, "mean");
  expect_near(estimate(squares), 1.0, "mean square");
}

TEST(Bulk, AddsToWhatIsThere) {
  for (const auto kind : {BulkKind::sparse, BulkKind::procedural}) {
    const Communicator serial;
    const Partition partition(50, 1, 0);
    NeuronArray<double> in(partition, 1);
    NeuronArray<double> out(partition, 1);
    for (std::int64_t i = 0; i < 50; ++i) {
      in.at(i, 0) = 1.0;
      out.at(i, 0) = 100.0;
    }
    make_bulk(options_of(kind, 10), partition, serial, 5)->add_product(in, out);
    const auto alone = product(options_of(kind, 10), std::vector<double>(50, 1.0));
    for (std::int64_t i = 0; i < 50; ++i) EXPECT_NEAR(out.at(i, 0), 100.0 + alone[static_cast<std::size_t>(i)], 1e-12);
    EXPECT_EQ(out.at(50, 0), 0.0) << "padding stays 0";
  }
}

TEST(Bulk, AllToAllReachesEveryColumnOfLongRows) {
  // 2048 entries are drawn at once: a row of 5000 takes three batches.
  for (const std::size_t j : {0u, 2047u, 2048u, 4999u}) {
    std::vector<double> unit(5000, 0.0);
    unit[j] = 1.0;
    const auto y = product(options_of(BulkKind::procedural, 0), unit);
    expect_near(product_mean(y, y), 1.5 * 1.5 / 5000, "variance of an entry");
  }
}

TEST(Bulk, SaysWhatItTakes) {
  const Communicator serial;
  const Partition partition(1000, 1, 0);
  EXPECT_EQ(make_bulk(options_of(BulkKind::none, 0), partition, serial, 1), nullptr);
  const auto sparse = make_bulk(options_of(BulkKind::sparse, 100), partition, serial, 1)->bytes();
  // Some of the 100 draws of a row hit the same column.
  EXPECT_GT(sparse, 1000u * 90 * 12);
  EXPECT_LT(sparse, 1000u * 100 * 12 + 1000 * 20);
  EXPECT_LT(make_bulk(options_of(BulkKind::procedural, 100), partition, serial, 1)->bytes(), 100'000u);
}

TEST(Bulk, RefusesWhatPetscCannotCount) {
  const Communicator serial;
  const auto refuse = [&](std::int64_t neurons, std::int64_t degree, std::initializer_list<std::string_view> words) {
    expect_error<ConfigurationError>(
        [&] { make_bulk(options_of(BulkKind::sparse, degree), Partition(neurons, 1, 0), serial, 1); }, words);
  };
  refuse(3'000'000'000, 10, {"3000000000 neurons", "2147483647", "procedural"});
  refuse(1'000'000, 3000, {"3000 entries", "1000000 rows", "procedural"});
  refuse(1000, 0, {"network.bulk.in_degree = 0", "at least 1", "procedural"});
}

}  // namespace
}  // namespace rankflow::model
