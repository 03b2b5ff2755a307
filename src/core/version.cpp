#include "core/version.hpp"

#include "generated_version.hpp"

namespace rankflow {

std::string version() {
  return RANKFLOW_VERSION;
}
std::string git_hash() {
  return RANKFLOW_GIT_HASH;
}

}  // namespace rankflow
