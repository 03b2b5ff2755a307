#include "inspect_sketch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace rankflow::drivers {
namespace {

constexpr std::uint64_t width = 64;
constexpr std::uint64_t most_columns = 4;
constexpr std::array<const char*, 8> marks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string line_of(const std::vector<double>& values, double low, double high) {
  std::string line;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      line += ' ';
      continue;
    }
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    line += marks[std::min<std::size_t>(marks.size() - 1, static_cast<std::size_t>(share * marks.size()))];
  }
  return line;
}

/// The rows that are drawn, evenly spaced from the first to the last.
std::vector<std::uint64_t> rows_drawn(std::uint64_t rows) {
  const auto count = std::min(rows, width);
  std::vector<std::uint64_t> drawn(count, 0);
  for (std::uint64_t i = 1; i < count; ++i) drawn[i] = i * (rows - 1) / (count - 1);
  return drawn;
}

std::string span_of_time(const io::File& file, const std::string& path) {
  const auto time = path.substr(0, path.rfind('/')) + "/time";
  if (!file.has_dataset(time) || file.info(time).shape.size() != 1) return "over time";
  const auto length = file.info(time).shape[0];
  std::array<double, 1> first{};
  std::array<double, 1> last{};
  file.read_rows<double>(time, {0}, {1}, first);
  file.read_rows<double>(time, {length - 1}, {1}, last);
  return fmt::format("from {:g} to {:g} {}", first[0], last[0], file.info(time).units);
}

}  // namespace

std::string sketch_of(const io::File& file, const std::string& path) {
  const auto shape = file.info(path).shape;
  if (io::count_of(shape) == 0) return {};
  const auto columns = std::min(shape[2], most_columns);
  std::vector<std::vector<double>> series(columns);
  std::vector<double> row(columns);
  for (const auto time : rows_drawn(shape[1])) {
    file.read_rows<double>(path, {0, time, 0}, {1, 1, columns}, row);
    for (std::size_t c = 0; c < columns; ++c) series[c].push_back(row[c]);
  }
  std::string lines;
  for (std::size_t c = 0; c < columns; ++c) {
    auto values = series[c];
    std::erase_if(values, [](double value) { return !std::isfinite(value); });
    if (values.empty()) continue;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    lines += fmt::format("  {} {}  {:.3g} … {:.3g}\n", c, line_of(series[c], *low, *high), *low, *high);
  }
  if (lines.empty()) return {};
  return fmt::format("{} of trial 0 {}\n{}", path, span_of_time(file, path), lines);
}

}  // namespace rankflow::drivers
