#pragma once
#include <string>

#include "io/hdf5_file.hpp"

namespace rankflow::drivers {

/// Small picture of the first columns of a dataset [trial, time, column] over time, in characters, for the first
/// trial; one mark is one row. Empty when no row of it is finite.
std::string sketch_of(const io::File& file, const std::string& path);

}  // namespace rankflow::drivers
