#include "sweep/texts.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace rankflow::sweep {
namespace {

/// Characters, not bytes: ± and … take one column.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string setting_of(const Case& one) {
  std::string text;
  for (const auto& [key, value] : one.varied) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, value);
  return text.empty() ? "the base" : text;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::vector<std::string> varied_keys(const Plan& plan) {
  std::vector<std::string> keys;
  for (const auto& one : plan.cases)
    for (const auto& [key, value] : one.varied)
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
  return keys;
}

std::string varied_value(const Case& one, const std::string& key) {
  const auto found = std::ranges::find_if(one.varied, [&](const auto& entry) { return entry.first == key; });
  return found == one.varied.end() ? "-" : found->second;
}

}  // namespace rankflow::sweep
