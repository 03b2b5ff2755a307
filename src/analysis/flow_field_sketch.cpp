#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "analysis/flow_field.hpp"

namespace rankflow::analysis {
namespace {

/// Arrows drawn along a line of text and down the page.
constexpr std::int64_t most_columns = 30;
constexpr std::int64_t most_grid_lines = 15;
constexpr double slow = 0.01;

/// Eight directions, counterclockwise from the right.
constexpr std::array<const char*, 8> arrows = {"→", "↗", "↑", "↖", "←", "↙", "↓", "↘"};

const char* arrow_of(double right, double up, double fastest) {
  if (std::hypot(right, up) <= slow * fastest) return "·";
  const auto eighth = std::lround(std::atan2(up, right) / (std::numbers::pi / 4));
  return arrows[static_cast<std::size_t>((eighth + 8) % 8)];
}

double fastest_of(const std::vector<double>& field, std::size_t rank) {
  double fastest = 0;
  for (std::size_t i = 0; i < field.size(); i += rank) {
    double square = 0;
    for (std::size_t r = 0; r < rank; ++r) square += field[i + r] * field[i + r];
    fastest = std::max(fastest, std::sqrt(square));
  }
  return fastest;
}

/// Places of `shown` of `all` points, spread evenly.
std::int64_t spread(std::int64_t place, std::int64_t shown, std::int64_t all) {
  return shown == 1 ? 0 : place * (all - 1) / (shown - 1);
}

}  // namespace

std::string flow_sketch(const FlowGrid& grid, const std::vector<double>& field) {
  if (grid.extent.empty() || grid.extent.size() > 2) return {};
  const auto rank = grid.extent.size();
  const double fastest = fastest_of(field, rank);
  const auto columns = std::min(most_columns, grid.extent.front());
  const auto lines = rank == 1 ? 1 : std::min(most_grid_lines, grid.extent.back());
  std::string text;
  for (std::int64_t line = lines - 1; line >= 0; --line) {
    for (std::int64_t column = 0; column < columns; ++column) {
      auto place = static_cast<std::size_t>(spread(column, columns, grid.extent.front()));
      if (rank == 2)
        place = place * static_cast<std::size_t>(grid.extent.back()) +
                static_cast<std::size_t>(spread(line, lines, grid.extent.back()));
      text += arrow_of(field[place * rank], rank == 2 ? field[place * rank + 1] : 0.0, fastest);
    }
    text += "\n";
  }
  return text + fmt::format("latent 1 to the right{}, ± {:.3g}; fastest {:.3g}; ·: below {:.2g} of it\n",
                            rank == 2 ? ", latent 2 upwards" : "", grid.range, fastest, slow);
}

}  // namespace rankflow::analysis
