#pragma once
#include <initializer_list>
#include <string>

#include <fmt/format.h>

#include "arguments.hpp"
#include "config/load.hpp"
#include "io/earlier_output.hpp"

namespace rankflow::drivers {

/// What --set can tell a command, for its help; `more` is said at the end, before where the ranges are listed.
template <class Options>
std::string keys_text(const std::string& more = {}) {
  std::string text = "keys of --set\n";
  for (const auto& table : config::list_tables<Options>())
    for (const auto& key : table.keys) text += fmt::format("  {}.{}: {}\n", table.name, key.key, key.doc);
  return text + more + "ranges and defaults: rankflow reference";
}

/// Before the work begins: an output, if one is asked for, must be a place where a result of this type can be, and none
/// of the files that are read. Collective. Throws what io::check_output() throws.
inline void check_result(const std::filesystem::path& output, io::FileType type,
                         std::initializer_list<std::filesystem::path> inputs, const parallel::Communicator& comm) {
  if (output.empty()) return;
  io::check_output({.path = output, .type = type, .inputs = inputs, .may_overwrite = false}, comm);
}

}  // namespace rankflow::drivers
