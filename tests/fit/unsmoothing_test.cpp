#include "fit/unsmoothing.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>
#include <random>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"

namespace rankflow::fit {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// White noise whose spectrum rises from slow to fast or falls, and what the kernel makes of it.
struct Case {
  Eigen::MatrixXd x, y;
};

Case smoothed_noise(Eigen::Index times, Eigen::Index channels, const std::vector<double>& kernel) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  const auto points = static_cast<Eigen::Index>(kernel.size());
  const Eigen::MatrixXd all =
      Eigen::MatrixXd::NullaryExpr(times + points - 1, channels, [&] { return normal(random); });
  Case made{all.middleRows(points / 2, times), Eigen::MatrixXd::Zero(times, channels)};
  for (Eigen::Index k = 0; k < points; ++k) made.y += kernel[static_cast<std::size_t>(k)] * all.middleRows(k, times);
  return made;
}

/// Share of the power of `values` that `reference` lacks.
double lost(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& values) {
  return (reference - values).squaredNorm() / reference.squaredNorm();
}

TEST(Unsmoothing, OfAnInvertibleWindowIsExact) {
  const std::vector<double> kernel{0.1, 1, 0.1};
  const auto made = smoothed_noise(500, 2, kernel);
  const auto found = unsmoothed(made.y, kernel);
  // The first and last unknowns are seen through 0.1 alone: their share fades by 0.1 per sample.
  EXPECT_LT((found - made.x).middleRows(10, 480).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_GT(lost(made.x, made.y), 0.01) << "control: the smoothed series is another";
}

TEST(Unsmoothing, LosesOnlyTheFrequenciesThatTheWindowRemoves) {
  // 15 points of Hann have 12 zeros on the unit circle: of 2000 unknowns about 12 directions are lost in exact
  // numbers, and some around Nyquist, where the window's double zero goes below single precision.
  const auto kernel = analysis::hann_window(15);
  const auto made = smoothed_noise(2000, 2, kernel);
  EXPECT_LT(lost(made.x, unsmoothed(made.y, kernel)), 40.0 / 2000);
  const Eigen::MatrixXd scaled = made.y / 7;
  EXPECT_GT(lost(made.x, scaled), 0.5) << "control: the smoothed series is another";
}

TEST(Unsmoothing, RoundingToSinglePrecisionDoesNoHarm) {
  const auto kernel = analysis::hann_window(15);
  const auto made = smoothed_noise(2000, 2, kernel);
  const Eigen::MatrixXd rounded = made.y.cast<float>().cast<double>();
  EXPECT_LT(lost(made.x, unsmoothed(rounded, kernel)), 40.0 / 2000);
}

TEST(Unsmoothing, RefusesWhatWasNotSmoothed) {
  const auto kernel = analysis::hann_window(15);
  const auto made = smoothed_noise(2000, 2, kernel);
  EXPECT_THAT([&] { unsmoothed(made.x, kernel); },
              ThrowsMessage<InputDataError>(HasSubstr("cannot have been smoothed by the 15-point window")));
  EXPECT_THAT(
      [&] {
        unsmoothed(made.x, std::vector<double>{1, 1});
      },
      ThrowsMessage<InternalError>(HasSubstr("2 points")));
}

}  // namespace
}  // namespace rankflow::fit
