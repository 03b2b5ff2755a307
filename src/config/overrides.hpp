#pragma once
#include <string>

#include "config/value.hpp"

namespace rankflow::config {

/// Applies "table.key=value" to the tree. The value is TOML, else taken as text without its quotes. Missing
/// tables are made; a number addresses an entry of a list (inputs.0.amplitude), one past the end appends to an
/// array of tables; a list that the file does not have is empty, whatever its default entries. Throws
/// ConfigurationError that names the argument.
void apply_set(Value& root, const std::string& argument);
/// As apply_set, with a value that keeps its origin; errors begin with `who`.
void set_value(Value& root, const std::string& key, Value value, const std::string& who);

}  // namespace rankflow::config
