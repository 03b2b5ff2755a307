#include "sweep/curve.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "io/hdf5_file.hpp"

namespace rankflow::sweep {
namespace {

bool has_value(const std::vector<double>& curve) {
  return std::ranges::any_of(curve, [](double value) { return std::isfinite(value); });
}

}  // namespace

Curve read_curve(const std::filesystem::path& result) {
  try {
    const parallel::Communicator alone;
    const auto file = io::File::open(alone, result);
    for (const char* name :
         {"validation_log_likelihood", "log_likelihood", "conditional_validation_loss", "conditional_loss"}) {
      const auto path = std::string("/training/") + name;
      if (!file.has_dataset(path)) continue;
      auto values = file.read_all<double>(path);
      if (has_value(values)) return {name, std::move(values)};
    }
  } catch (const Error&) {
    // A result that is being written, or was moved away: there is just nothing to draw.
  }
  return {};
}

std::string plot_text(std::span<const double> values, const std::string& abscissa, int width, int height) {
  double low = INFINITY, high = -INFINITY;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(low <= high)) return {};
  const double span = high > low ? high - low : 1;
  std::vector<std::string> rows(static_cast<std::size_t>(height), std::string(static_cast<std::size_t>(width), ' '));
  const auto last = static_cast<double>(std::max<std::size_t>(values.size() - 1, 1));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const auto column = static_cast<std::size_t>(std::lround(static_cast<double>(i) / last * (width - 1)));
    const auto row = static_cast<std::size_t>(std::lround((high - values[i]) / span * (height - 1)));
    rows[row][column] = '*';
  }
  std::string text;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto label = row == 0                 ? fmt::format("{:.5g}", high)
                       : row + 1 == rows.size() ? fmt::format("{:.5g}", low)
                                                : "";
    auto line = fmt::format("{:>10} |{}", label, rows[row]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  const auto end = fmt::format("{} {}", abscissa, values.size() - 1);
  return text + fmt::format("{:>10} +{}\n{:>10}  0{:>{}}\n", "", std::string(static_cast<std::size_t>(width), '-'), "",
                            end, width - 1);
}

}  // namespace rankflow::sweep
