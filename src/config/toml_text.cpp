#include "config/toml_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "config/checker.hpp"

namespace rankflow::config {
namespace {

std::string key_text(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c < 128 && std::isalnum(c) != 0) || c == '_' || c == '-';
  });
  return bare ? key : toml_quoted(key);
}

std::string joined(const Array& array) {
  std::string text;
  for (const auto& element : array) text += (text.empty() ? "" : ", ") + inline_toml(element);
  return "[" + text + "]";
}

std::string joined(const Table& table) {
  std::string text;
  for (const auto& [key, value] : table)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key_text(key), inline_toml(value));
  return text.empty() ? "{}" : "{ " + text + " }";
}

bool is_table_list(const Value& value) {
  const auto* array = value.as<Array>();
  return array != nullptr && !array->empty() &&
         std::all_of(array->begin(), array->end(), [](const Value& entry) { return entry.as<Table>() != nullptr; });
}

void append_table(std::string& text, const Table& table, const std::string& name);

void append_members(std::string& text, const Member& member, const std::string& name) {
  if (const auto* table = member.value.as<Table>()) {
    text += fmt::format("\n[{}]\n", name);
    append_table(text, *table, name);
    return;
  }
  for (const auto& entry : *member.value.as<Array>()) {
    text += fmt::format("\n[[{}]]\n", name);
    append_table(text, *entry.as<Table>(), name);
  }
}

void append_table(std::string& text, const Table& table, const std::string& name) {
  const auto has_header = [](const Member& m) { return m.value.as<Table>() != nullptr || is_table_list(m.value); };
  for (const auto& member : table)
    if (!has_header(member)) text += fmt::format("{} = {}\n", key_text(member.key), inline_toml(member.value));
  for (const auto& member : table)
    if (has_header(member)) append_members(text, member, dotted(name, key_text(member.key)));
}

struct InlineText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return real_text(value); }
  std::string operator()(const std::string& value) const { return toml_quoted(value); }
  std::string operator()(const Date& value) const { return value.text; }
  std::string operator()(const Array& value) const { return joined(value); }
  std::string operator()(const Table& value) const { return joined(value); }
};

}  // namespace

std::string real_text(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0.0 ? "inf" : "-inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string toml_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string inline_toml(const Value& value) {
  return std::visit(InlineText{}, value.content);
}

std::string document_toml(const Value& root) {
  std::string text;
  append_table(text, *root.as<Table>(), "");
  if (text.starts_with('\n')) text.erase(0, 1);
  return text;
}

}  // namespace rankflow::config
