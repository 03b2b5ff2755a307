#include "io/finite.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/error.hpp"

namespace rankflow::io {
namespace {

constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();

/// Position in the global array [neuron, column], C order, of this rank's first value that is not finite.
template <class T>
std::int64_t first_position(const parallel::Partition& partition, std::size_t columns, std::span<const T> tiled) {
  constexpr auto length = static_cast<std::size_t>(parallel::tile_size);
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile)
    for (std::size_t i = 0; i < static_cast<std::size_t>(partition.tile_count(tile)); ++i)
      for (std::size_t column = 0; column < columns; ++column)
        if (!std::isfinite(tiled[(static_cast<std::size_t>(tile) * columns + column) * length + i]))
          return (partition.tile_begin(tile) + static_cast<std::int64_t>(i)) * static_cast<std::int64_t>(columns) +
                 static_cast<std::int64_t>(column);
  return none;
}

}  // namespace

template <class T>
void require_finite(const parallel::Communicator& comm, const parallel::Partition& partition, std::size_t columns,
                    std::span<const T> tiled, const std::string& what) {
  std::array<std::int64_t, 1> last{-first_position(partition, columns, tiled)};
  comm.maximum(last);
  if (last[0] == -none) return;
  const auto width = static_cast<std::int64_t>(columns);
  throw InputDataError(
      "{} holds NaN or infinity, first at neuron {}, column {} (counted from 0); every value must be finite", what,
      -last[0] / width, -last[0] % width);
}

template void require_finite<float>(const parallel::Communicator&, const parallel::Partition&, std::size_t,
                                    std::span<const float>, const std::string&);
template void require_finite<double>(const parallel::Communicator&, const parallel::Partition&, std::size_t,
                                     std::span<const double>, const std::string&);

}  // namespace rankflow::io
