#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "config/value.hpp"

namespace rankflow::config {

/// The document as a table whose values know their lines. Throws ConfigurationError "name:line:column: …".
Value parse_document(std::string_view toml, const std::string& name);

/// One TOML value, as on the right of "key ="; nothing when the text is no TOML value.
std::optional<Value> parse_value(const std::string& text);

/// Contents of a configuration file. Throws ConfigurationError when it is missing, a directory or unreadable.
std::string read_text_file(const std::string& path);

}  // namespace rankflow::config
