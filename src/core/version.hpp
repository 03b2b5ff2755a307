#pragma once
#include <string>

namespace rankflow {

/// Version of the program, as in "0.1.0".
std::string version();
/// Git hash the program was built from, with "-dirty" when the tree had changes; "unknown" outside git.
std::string git_hash();

}  // namespace rankflow
