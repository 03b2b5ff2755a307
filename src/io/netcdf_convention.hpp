#pragma once
// Dimension scales as netCDF-4 writes them; for the .cpp files of this layer only.
#include <cstdint>
#include <string>

namespace rankflow::io {

/// Name that the netCDF library gives to the scale of a dimension that has no coordinates.
inline constexpr char bare_dimension_label[] = "This is a netCDF dimension but not a netCDF variable.";

/// Last component of the path of the scale attached to an axis; empty when there is none.
std::string dimension_name(std::int64_t dataset, unsigned axis);
/// True when the chunks carry a Fletcher-32 checksum.
bool has_checksum(std::int64_t dataset);

}  // namespace rankflow::io
