#include "config/overrides.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "config/checker.hpp"
#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"

namespace rankflow::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_key(std::string_view key, const std::string& who) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= key.size();) {
    const auto end = std::min(key.find('.', begin), key.size());
    parts.emplace_back(trimmed(key.substr(begin, end - begin)));
    if (parts.back().empty())
      throw ConfigurationError("{}: the key '{}' is empty or has an empty part; keys are written table.key", who, key);
    begin = end + 1;
  }
  return parts;
}

Value parse_set_value(const std::string& text, const std::string& argument) {
  if (auto value = parse_value(text)) return *std::move(value);
  // Reading the quoted text back proves that it is UTF-8, which TOML demands.
  if (auto value = parse_value(toml_quoted(text))) return *std::move(value);
  throw ConfigurationError("--set {}: the value is not valid UTF-8 text", argument);
}

std::optional<std::size_t> list_index(const std::string& part) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc{} || end != part.data() + part.size()) return std::nullopt;
  return index;
}

/// Walks down the tree along the parts of one key, making what is missing.
class Setter {
 public:
  Setter(const std::string& who, const std::vector<std::string>& parts) : who_(who), parts_(parts) {}

  void set(Value& root, Value value) {
    Value* place = &root;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const bool last = i + 1 == parts_.size();
      place = &child(*place, i, !last || value.as<Table>() != nullptr);
      if (!place->origin.known()) *place = {fresh(i + 1), value.origin};
    }
    *place = std::move(value);
  }

 private:
  /// What a missing node becomes: a list when the next part of the key is the index 0, else a table.
  decltype(Value::content) fresh(std::size_t next) const {
    if (next < parts_.size() && list_index(parts_[next]) == 0U) return Array{};
    return Table{};
  }

  Value& child(Value& parent, std::size_t i, bool table_wanted) const {
    if (parent.as<Array>() != nullptr) return entry(parent, i, table_wanted);
    auto* table = parent.as<Table>();
    if (table == nullptr)
      throw ConfigurationError("{}: '{}' is {} ({}), not a table, and has no key '{}'", who_, path(i), type_of(parent),
                               shown(parent), parts_[i]);
    if (auto* found = parent.find(parts_[i])) return *found;
    return table->emplace_back(Member{parts_[i], {}}).value;
  }

  Value& entry(Value& parent, std::size_t i, bool table_wanted) const {
    auto& array = *parent.as<Array>();
    const auto index = list_index(parts_[i]);
    if (!index)
      throw ConfigurationError("{}: '{}' is a list of {} entries; '{}' is no index, as in {}.0.{}", who_, path(i),
                               array.size(), parts_[i], path(i), parts_[i]);
    if (*index < array.size()) return array[*index];
    const bool tables =
        std::all_of(array.begin(), array.end(), [](const Value& v) { return v.as<Table>() != nullptr; });
    if (*index == array.size() && tables && table_wanted) return array.emplace_back();
    throw ConfigurationError("{}: '{}' has {} entries; the index may be at most {}", who_, path(i), array.size(),
                             allowed_index(array.size(), tables));
  }

  static std::string allowed_index(std::size_t size, bool tables) {
    if (tables) return fmt::format("{} (which appends a table)", size);
    return fmt::format("{} (only arrays of tables can be appended to)", size - 1);
  }

  std::string path(std::size_t end) const {
    std::string result;
    for (std::size_t i = 0; i < end; ++i) result = dotted(result, parts_[i]);
    return result;
  }

  const std::string& who_;
  const std::vector<std::string>& parts_;
};

/// Every value within comes from the argument, also those of a list or table.
void mark(Value& value, const std::string& argument) {
  value.origin = {.set = argument};
  if (auto* array = value.as<Array>())
    for (auto& element : *array) mark(element, argument);
  if (auto* table = value.as<Table>())
    for (auto& member : *table) mark(member.value, argument);
}

}  // namespace

void set_value(Value& root, const std::string& key, Value value, const std::string& who) {
  const auto parts = split_key(key, who);
  Setter(who, parts).set(root, std::move(value));
}

void apply_set(Value& root, const std::string& argument) {
  const auto equals = argument.find('=');
  if (equals == std::string::npos)
    throw ConfigurationError("--set {}: there is no '='; write --set table.key=value", argument);
  auto value = parse_set_value(argument.substr(equals + 1), argument);
  mark(value, argument);
  set_value(root, std::string(trimmed(std::string_view(argument).substr(0, equals))), std::move(value),
            "--set " + argument);
}

}  // namespace rankflow::config
