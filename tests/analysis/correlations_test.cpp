#include "analysis/correlations.hpp"

#include <gmock/gmock.h>

#include "analysis/analysis_support.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using testing::ElementsAre;

/// As the textbook defines it, over the rows where both are there.
double direct(const Series& series, std::int64_t a, std::int64_t b) {
  std::vector<double> x, y;
  for (std::int64_t trial = 0; trial < series.trials; ++trial)
    for (std::int64_t time = 0; time < series.times; ++time) {
      if (std::isnan(series.at(trial, time, a)) || std::isnan(series.at(trial, time, b))) continue;
      x.push_back(series.at(trial, time, a));
      y.push_back(series.at(trial, time, b));
    }
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / static_cast<double>(x.size());
    mean_y += y[i] / static_cast<double>(x.size());
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xy / std::sqrt(xx * yy);
}

TEST(CorrelationMatrix, UsesThePairsThatWereObserved) {
  auto series = normal_series(2, 40, 4, 1);
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (i % 4 == 1) series.values[i] += series.values[i - 1];
    series.values[i] += 100;
  }
  for (const std::size_t hole : {3, 40, 41, 77, 200}) series.values[hole] = missing;
  const auto found = correlation_matrix(series);
  for (std::int64_t a = 0; a < 4; ++a)
    for (std::int64_t b = 0; b < 4; ++b)
      EXPECT_NEAR(found[static_cast<std::size_t>(4 * a + b)], direct(series, a, b), 1e-13);
  EXPECT_GT(found[1], 0.5);
}

TEST(CorrelationMatrix, HasNoneForAConstantChannel) {
  const Series series{1, 3, 2, {1, 0.3, 2, 0.3, 3, 0.3}};
  const auto found = correlation_matrix(series);
  EXPECT_NEAR(found[0], 1.0, 1e-15);
  EXPECT_TRUE(std::isnan(found[1]));
  EXPECT_TRUE(std::isnan(found[3]));
}

TEST(AboveDiagonal, GoesRowByRow) {
  EXPECT_THAT(above_diagonal(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9}), ElementsAre(2, 3, 6));
  EXPECT_THROW(above_diagonal(std::vector<double>{1, 2, 3}), InternalError);
}

TEST(Agreement, MeasuresDifferenceAndLikeness) {
  const std::vector<double> reference{1, 2, missing, 3, 9}, model{2, 4, 1, 6, missing};
  const auto found = agreement(reference, model);
  EXPECT_EQ(found.count, 3);
  EXPECT_NEAR(found.correlation, 1.0, 1e-15);
  EXPECT_NEAR(found.rmse, std::sqrt(14.0 / 3), 1e-15);
  EXPECT_NEAR(found.relative, 1.0, 1e-15);
  EXPECT_EQ(agreement(reference, reference).rmse, 0);
}

}  // namespace
}  // namespace rankflow::analysis
