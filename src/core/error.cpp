#include "core/error.hpp"

namespace rankflow {

std::string Error::report() const {
  std::string text = what();
  for (const auto& line : context_) text += "\n  while " + line;
  return text;
}

}  // namespace rankflow
