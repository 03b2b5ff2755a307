#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "io/hdf5_file.hpp"

namespace rankflow::drivers {

/// Values beyond which a dataset is looked at in evenly spaced blocks only (1 GiB of doubles).
inline constexpr std::uint64_t values_read_whole = std::uint64_t{1} << 27;

/// Reads a dataset of numbers block by block, 4 MiB at a time; every `stride`-th block when the dataset holds more
/// than values_read_whole. A block is contiguous in C order: `visit` gets the number of its first value and the values.
/// Returns the stride (1: all was read).
std::uint64_t for_each_block(const io::File& file, const io::DatasetInfo& info,
                             const std::function<void(std::uint64_t, std::span<const double>)>& visit);

/// Index of value number `position` in C order.
io::Shape index_of(std::uint64_t position, const io::Shape& shape);

/// True when the dataset holds numbers.
bool is_numeric(io::Type type);

}  // namespace rankflow::drivers
