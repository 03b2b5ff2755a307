#pragma once
#include <Eigen/Core>
#include <span>

namespace rankflow::fit {

/// Undoes a smoothing over time: the x of least norm with Σ_k kernel[k] x[t + k − half] = y[t] for every t, each column
/// by itself (half = kernel size / 2; samples before the first and after the last of y are unknowns too, and are left
/// out). `y` [time, channel]. Frequencies that the kernel removes to below single precision stay removed.
/// Throws InternalError for a kernel of even length and InputDataError when y cannot have been smoothed so: what would
/// give y is `most_amplified` times as large as y.
Eigen::MatrixXd unsmoothed(const Eigen::MatrixXd& y, std::span<const double> kernel);

/// Bound on the standard deviation of x over that of y.
inline constexpr double most_amplified = 100.0;

}  // namespace rankflow::fit
