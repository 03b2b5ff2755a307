#pragma once
#include <string>
#include <string_view>

#include "config/value.hpp"

namespace rankflow::config {

/// The number with the fewest digits that reads back as the same double; always a TOML real, not an integer.
std::string real_text(double value);
/// Quoted and escaped as a TOML basic string.
std::string toml_quoted(std::string_view text);
/// Any value on one line, tables in braces.
std::string inline_toml(const Value& value);
/// A document: plain keys first, then [tables] and [[arrays of tables]], each in the order of `root`.
std::string document_toml(const Value& root);

}  // namespace rankflow::config
