#include "config/parse.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <toml++/toml.h>

#include "core/error.hpp"

namespace rankflow::config {
namespace {

Value convert(const toml::node& node);

Value convert_table(const toml::table& table) {
  Table members;
  for (const auto& [key, value] : table) members.push_back({std::string(key.str()), convert(value)});
  // The library sorts by key; messages should follow the file.
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.value.origin.line < b.value.origin.line; });
  return {std::move(members)};
}

Value convert_array(const toml::array& array) {
  Array elements;
  elements.reserve(array.size());
  for (const auto& element : array) elements.push_back(convert(element));
  return {std::move(elements)};
}

template <class DateOrTime>
Value convert_date(const DateOrTime& date) {
  std::ostringstream text;
  text << date;
  return {Date{text.str()}};
}

Value convert_content(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return convert_table(*node.as_table());
    case toml::node_type::array:
      return convert_array(*node.as_array());
    case toml::node_type::boolean:
      return {node.as_boolean()->get()};
    case toml::node_type::integer:
      return {node.as_integer()->get()};
    case toml::node_type::floating_point:
      return {node.as_floating_point()->get()};
    case toml::node_type::string:
      return {node.as_string()->get()};
    case toml::node_type::date:
      return convert_date(node.as_date()->get());
    case toml::node_type::time:
      return convert_date(node.as_time()->get());
    case toml::node_type::date_time:
      return convert_date(node.as_date_time()->get());
    case toml::node_type::none:
      break;
  }
  throw InternalError("a TOML value without a type");
}

Value convert(const toml::node& node) {
  auto value = convert_content(node);
  // At least 1: a value of the file must not look like a default.
  value.origin.line = std::max<std::int64_t>(1, static_cast<std::int64_t>(node.source().begin.line));
  return value;
}

}  // namespace

Value parse_document(std::string_view toml, const std::string& name) {
  try {
    return convert(toml::parse(toml, name));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw ConfigurationError("{}:{}:{}: not valid TOML: {}", name, at.line, at.column, error.description());
  }
}

std::optional<Value> parse_value(const std::string& text) {
  try {
    const auto table = toml::parse("value = " + text);
    const auto* node = table.get("value");
    // More keys: the text held a line break and went on as a document.
    if (table.size() != 1 || node == nullptr) return std::nullopt;
    return convert(*node);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

std::string read_text_file(const std::string& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status))
    throw ConfigurationError("no configuration file '{}'; give the path of a TOML file", path);
  if (std::filesystem::is_directory(status))
    throw ConfigurationError("'{}' is a directory; give the path of a TOML file, as in '{}'", path,
                             (std::filesystem::path(path) / "fit.toml").string());
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw ConfigurationError("cannot read configuration file '{}'; check its permissions", path);
  return text;
}

}  // namespace rankflow::config
