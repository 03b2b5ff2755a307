#pragma once
#include <string>

#include "io/hdf5_file.hpp"

namespace rankflow::io {

/// The root attribute `file_type`; empty for files of other programs.
std::string file_type_of(const File& file);

/// "a flow file", "an analysis file".
std::string with_article(const std::string& type);

/// What a file is, for messages: "a flow file", "an HDF5 file of another program".
std::string kind_of_file(const File& file);

}  // namespace rankflow::io
