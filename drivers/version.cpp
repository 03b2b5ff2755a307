#include "core/version.hpp"

#include <fmt/format.h>

#include "arguments.hpp"
#include "libraries.hpp"

namespace rankflow::drivers {

std::string version_text() {
  std::string text = fmt::format("rankflow {} (git {})\n", version(), git_hash());
  for (const auto& [name, number] : libraries) text += fmt::format("  {:<10} {}\n", name, number);
  text.pop_back();
  return text;
}

}  // namespace rankflow::drivers
