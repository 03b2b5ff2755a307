#pragma once
#include "analysis/fixed_points.hpp"
#include "io/hdf5_file.hpp"

namespace rankflow::analysis {

/// Writes the groups /fixed_points and, for each order searched, /cycles/order_<k>. Datasets of nothing found are left
/// out; the attribute `count` is always there. Collective.
void write_fixed_points(io::File& file, const LatentMap& map, const FixedPointReport& report);

/// The report as a table in words for the console.
std::string fixed_points_text(const LatentMap& map, const FixedPointReport& report);

}  // namespace rankflow::analysis
