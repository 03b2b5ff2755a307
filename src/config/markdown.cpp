#include <array>

#include <fmt/format.h>

#include "config/listing.hpp"

namespace rankflow::config {
namespace {

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

/// "inputs.0.envelope" as it is written in a file: "inputs.envelope".
std::string header_name(std::string_view name) {
  std::string result(name);
  for (auto at = result.find(".0"); at != std::string::npos; at = result.find(".0", at))
    if (at + 2 == result.size() || result[at + 2] == '.') {
      result.erase(at, 2);
    } else {
      at += 2;
    }
  return result;
}

std::string heading(const TableListing& table) {
  auto name = header_name(table.name);
  switch (table.kind) {
    case TableListing::Kind::top:
      return "Top level";
    case TableListing::Kind::table:
      return fmt::format("`[{}]`", name);
    case TableListing::Kind::optional_table:
      return fmt::format("`[{}]` (optional)", name);
    case TableListing::Kind::list:
      return fmt::format("`[[{}]]` (any number)", name);
  }
  return name;
}

std::string section(const TableListing& table) {
  auto text = fmt::format("\n## {}\n", heading(table));
  if (!table.doc.empty()) text += fmt::format("\n{}\n", table.doc);
  if (table.keys.empty()) return text;
  text += "\n| key | type | default | unit | allowed | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& key : table.keys)
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", key.key, key.type, cell(key.default_text),
                        cell(key.unit), cell(key.allowed), cell(key.doc));
  return text;
}

}  // namespace

std::string markdown(const std::vector<TableListing>& tables, std::string_view title) {
  auto text = fmt::format("# {}\n", title);
  for (const auto& table : tables)
    if (table.kind != TableListing::Kind::top || !table.keys.empty()) text += section(table);
  return text;
}

}  // namespace rankflow::config
