#pragma once
#include <span>
#include <vector>

#include "analysis/series.hpp"

namespace rankflow::analysis {

/// Symmetric Hann window 1/2 − 1/2 cos(2πk/(points − 1)), not normalised: its end points are 0 (numpy.hanning).
/// Throws InternalError unless `points` is odd and at least 3.
std::vector<double> hann_window(int points);

/// Gaussian of standard deviation `sd` samples, cut at 4 sd, of sum 1 (as scipy.ndimage.gaussian_filter1d);
/// sd 0 gives the single weight 1.
std::vector<double> gaussian_window(double sd);

/// What stands beyond the ends of x = a b c d.
enum class Edge {
  mirror,  ///< … c b | a b c d | c b …: mirrored at the outermost sample
  repeat   ///< … b a | a b c d | d c …: the outermost sample occurs twice
};

/// Σ_k kernel[k] x[t + k − half], for a symmetric kernel of odd length. Samples that are NaN drop out: the weights of
/// the others grow to the kernel's sum; where x itself is NaN the result is.
std::vector<double> convolve(std::span<const double> x, std::span<const double> kernel, Edge edge);

/// Every channel of every trial convolved along time.
Series smooth(const Series& series, std::span<const double> kernel, Edge edge);

/// Mean and standard deviation (divisor n) of each channel over all trials and times that were observed; NaN for a
/// channel that never was.
struct Moments {
  std::vector<double> mean;
  std::vector<double> sd;

  /// False for a channel that is constant (up to rounding) or was never observed.
  bool varies(std::size_t channel) const;
};
Moments moments(const Series& series);

/// (x − mean) / sd per channel.
Series standardise(Series series, const Moments& moments);

}  // namespace rankflow::analysis
