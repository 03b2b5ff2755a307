#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace rankflow::sweep {

/// A fit's learning curve by epoch: of the held-out data when there are any, else of the training data.
struct Curve {
  std::string name;
  std::vector<double> values;  ///< those of epochs that were not run are NaN
};

/// Empty when the file is no fit, or cannot be read. For one process.
Curve read_curve(const std::filesystem::path& result);

/// The curve as lines of text, `width` × `height` characters beside the axis labels; empty without a finite value.
std::string plot_text(std::span<const double> values, const std::string& abscissa, int width = 64, int height = 12);

}  // namespace rankflow::sweep
