#include "analysis/smoothing.hpp"

#include <numeric>

#include <gmock/gmock.h>

#include "analysis/analysis_support.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsNan;
using testing::Pointwise;

TEST(Windows, HannIsThatOfNumpy) {
  // numpy.hanning(5) and its sum for 15 points, (15 − 1)/2.
  EXPECT_THAT(hann_window(5), Pointwise(DoubleNear(1e-15), {0.0, 0.5, 1.0, 0.5, 0.0}));
  const auto window = hann_window(15);
  EXPECT_NEAR(std::accumulate(window.begin(), window.end(), 0.0), 7.0, 1e-14);
  EXPECT_THROW(hann_window(4), InternalError);
}

TEST(Windows, GaussianIsCutAtFourDeviations) {
  const auto window = gaussian_window(20);
  ASSERT_EQ(window.size(), 161U);
  EXPECT_NEAR(std::accumulate(window.begin(), window.end(), 0.0), 1.0, 1e-14);
  double variance = 0;
  for (int k = -80; k <= 80; ++k) variance += k * k * window[static_cast<std::size_t>(k + 80)];
  // The tails beyond 4 sd hold 2 (4 φ(4) + Q(4)) − 2 Q(4) = 8 φ(4) = 1.1e-3 of it.
  EXPECT_NEAR(variance / 400, 1.0, 1.5e-3);
  EXPECT_THAT(gaussian_window(0), ElementsAre(1.0));
}

TEST(Convolve, MirrorsOrRepeatsTheEnds) {
  const std::vector<double> x{1, 2, 4, 8}, kernel{1, 1, 1};
  EXPECT_THAT(convolve(x, kernel, Edge::mirror), ElementsAre(2 + 1 + 2, 7, 14, 4 + 8 + 4));
  EXPECT_THAT(convolve(x, kernel, Edge::repeat), ElementsAre(1 + 1 + 2, 7, 14, 4 + 8 + 8));
}

TEST(Convolve, GoesOnMirroringWhenTheKernelIsLonger) {
  // … 2 1 2 | 1 2 | 1 2 1 …: mirrored at every end again.
  const std::vector<double> x{1, 2}, kernel{1, 0, 0, 0, 0, 0, 10};
  EXPECT_THAT(convolve(x, kernel, Edge::mirror), ElementsAre(2 + 20, 1 + 10));
  // … 2 2 1 | 1 2 | 2 1 1 …
  EXPECT_THAT(convolve(x, kernel, Edge::repeat), ElementsAre(2 + 10, 2 + 10));
}

TEST(Convolve, GivesTheWeightOfMissingSamplesToTheOthers) {
  const std::vector<double> x{1, missing, 4, 8}, kernel{1, 2, 1};
  EXPECT_THAT(convolve(x, kernel, Edge::repeat), ElementsAre(1 * 3 * 4.0 / 3, IsNan(), 16 * 4.0 / 3, 28));
}

TEST(Smooth, TreatsEachChannelOfEachTrialByItself) {
  const Series series{2, 3, 2, {1, 0, 2, 0, 3, 9, 5, 1, 5, 1, 5, 1}};
  const auto result = smooth(series, std::vector<double>{0, 0, 1}, Edge::repeat);  // the next sample
  EXPECT_THAT(result.values, ElementsAre(2, 0, 3, 9, 3, 9, 5, 1, 5, 1, 5, 1));
}

TEST(Moments, LeaveMissingSamplesOut) {
  const auto found = moments({2, 2, 2, {1, 5, missing, 5, 3, 5, 5, missing}});
  EXPECT_THAT(found.mean, ElementsAre(3, 5));
  EXPECT_NEAR(found.sd[0], std::sqrt(8.0 / 3), 1e-15);
  EXPECT_TRUE(found.varies(0));
  EXPECT_FALSE(found.varies(1));
}

TEST(Standardise, GivesMeanZeroAndDeviationOne) {
  auto series = normal_series(3, 50, 2, 1);
  for (auto& value : series.values) value = 7 + 3 * value;
  const auto found = moments(standardise(series, moments(series)));
  EXPECT_THAT(found.mean, Pointwise(DoubleNear(1e-14), {0.0, 0.0}));
  EXPECT_THAT(found.sd, Pointwise(DoubleNear(1e-14), {1.0, 1.0}));
  EXPECT_GT(std::abs(moments(series).mean[0]), 1) << "control";
}

}  // namespace
}  // namespace rankflow::analysis
