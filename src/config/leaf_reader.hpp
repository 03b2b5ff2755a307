#pragma once
#include <string>
#include <string_view>

#include "config/slot.hpp"

namespace rankflow::config {

/// One key whose value was found: where, under which name, and what its option allows.
struct FoundLeaf {
  const Value& value;
  std::string key;       ///< dotted
  std::string location;  ///< of the key
  std::string folder;    ///< that relative paths start from
  const Slot& slot;
  const Spec& spec;
};

/// Stores the value in the slot's variable. Throws ConfigurationError with place, key, what was found and what
/// is allowed. An ArraySource given as a table is not handled here, see array_table.hpp.
void read_leaf(const FoundLeaf& leaf);

/// Throws the error of `leaf` for `value` (the leaf's own or a part of it, `key` its dotted name).
[[noreturn]] void refuse(const FoundLeaf& leaf, const std::string& key, const Value& value, std::string_view why,
                         std::string_view hint = "");

/// Splits "fit.h5:/group/m" into file and member and makes the file's name absolute. The last colon that
/// follows a name with an extension or precedes a "/" splits; text without such a colon is all file.
void set_file(ArraySource& source, const std::string& text, const std::string& folder);

/// `path` made absolute from `folder`; empty stays empty.
std::string resolved_path(const std::string& path, const std::string& folder);

}  // namespace rankflow::config
