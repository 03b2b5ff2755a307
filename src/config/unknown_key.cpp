#include "config/unknown_key.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/checker.hpp"
#include "core/suggestion.hpp"

namespace rankflow::config {
namespace {

std::string normalised(std::string key) {
  for (auto& c : key) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return key;
}

std::string last_part(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

/// The dotted keys, a few of them, whose last part is `name`.
std::vector<std::string> ending_in(const std::string& name, const std::vector<std::string>& all_dotted) {
  constexpr std::size_t most = 3;
  std::vector<std::string> result;
  for (const auto& key : all_dotted)
    if (result.size() < most && last_part(key) == name) result.push_back(key);
  return result;
}

std::vector<std::string> likely_keys(const std::string& word, const std::string& table,
                                     const std::vector<std::string>& keys, const std::vector<std::string>& all_dotted) {
  const auto plain = normalised(word);
  if (std::find(keys.begin(), keys.end(), plain) != keys.end()) return {dotted(table, plain)};
  auto likely = ending_in(plain, all_dotted);
  if (const auto match = nearest(plain, keys); !match.empty()) likely.push_back(dotted(table, match));
  if (!likely.empty()) return likely;
  std::vector<std::string> names;
  names.reserve(all_dotted.size());
  for (const auto& key : all_dotted) names.push_back(last_part(key));
  const auto match = nearest(plain, names);
  return match.empty() ? likely : ending_in(match, all_dotted);
}

}  // namespace

std::string unknown_key_hint(const std::string& key, const std::string& table, const std::vector<std::string>& keys,
                             const std::vector<std::string>& all_dotted) {
  const auto likely = likely_keys(key, table, keys, all_dotted);
  if (!likely.empty()) return fmt::format(" Did you mean '{}'?", fmt::join(likely, "' or '"));
  return fmt::format(" Known keys {}: {}.", table.empty() ? "of the top table" : fmt::format("of [{}]", table),
                     fmt::join(keys, ", "));
}

}  // namespace rankflow::config
