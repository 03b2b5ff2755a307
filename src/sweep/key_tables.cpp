#include "sweep/key_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/ranges.h>

#include "config/checker.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace rankflow::sweep {

using config::Array;
using config::Table;
using config::Value;

std::optional<double> number_of(const Value& value) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* real = value.as<double>()) return *real;
  return std::nullopt;
}

std::string KeyTables::place(const config::Origin& origin) const {
  return config::Places(source_).location(origin);
}

void KeyTables::require_known(const std::string& key, const config::Origin& origin, const std::string& name) const {
  if (key == "run.seed")
    throw ConfigurationError(
        "{}: [{}] has 'run.seed'; seeds are replicates of a case: give sweep.seeds = 3 or [1, 2, 3]", place(origin),
        name);
  if (key == ranks_key || kind_.knows(key)) return;
  throw ConfigurationError("{}: unknown key '{}' in [{}]: '{}' has no such key to vary.{}", place(origin), key, name,
                           kind_.name(), kind_.hint(key));
}

void KeyTables::collect(const Value& table, const std::string& prefix, const std::string& name, Setting& found) const {
  for (const auto& [part, value] : *table.as<Table>()) {
    auto key = config::dotted(prefix, part);
    if (value.as<Table>() != nullptr && kind_.knows(key) && !kind_.is_value(key)) {
      collect(value, key, name, found);
      continue;
    }
    require_known(key, value.origin, name);
    const auto earlier = std::ranges::find(found, key, &Assignment::key);
    if (earlier == found.end()) {
      found.push_back({std::move(key), value});
    } else if (!value.origin.set.empty()) {  // a --set overrides a quoted dotted key, too
      earlier->value = value;
    } else {
      throw ConfigurationError("{}: '{}' stands twice in [{}]; keep one", place(value.origin), key, name);
    }
  }
}

Setting KeyTables::keys(const Value& table, const std::string& name) const {
  if (table.as<Table>() == nullptr)
    throw ConfigurationError("{}: '{}' = {} is {}; allowed: a table of keys of '{}', written [{}]", place(table.origin),
                             name, config::shown(table), config::type_of(table), kind_.name(), name);
  Setting found;
  collect(table, "", name, found);
  return found;
}

const Array& KeyTables::entries(const Value& list, const std::string& name) const {
  const auto* array = list.as<Array>();
  const bool tables = array != nullptr && std::ranges::all_of(*array, [](const Value& v) { return v.as<Table>(); });
  if (!tables)
    throw ConfigurationError("{}: '{}' = {} is {}; allowed: tables, each written [[{}]]", place(list.origin), name,
                             config::shown(list), config::type_of(list), name);
  return *array;
}

Axis KeyTables::axis(const Assignment& entry, const std::string& name) const {
  const auto& [key, value] = entry;
  const auto where = place(value.origin);
  const auto what = fmt::format("{}: '{}' = {} in [{}]", where, key, config::shown(value), name);
  if (const auto* table = value.as<Table>(); table != nullptr && table->size() == 1)
    return {key, spaced_values(table->front(), what), where};
  const auto* list = value.as<Array>();
  if (list == nullptr)
    throw ConfigurationError(
        "{} is {}; allowed: a list of values, {{ linspace = [first, last, count] }} or {{ geomspace = [first, last, "
        "count] }}; a single value for all cases stands in [sweep.set]",
        what, config::type_of(value));
  if (list->empty())
    throw ConfigurationError("{} is an empty list, which leaves no case; give values, or take the key out", what);
  for (auto i = list->begin(); i != list->end(); ++i)
    for (auto j = list->begin(); j != i && name != "sweep.zip"; ++j)
      if (config::inline_toml(*i) == config::inline_toml(*j))
        throw ConfigurationError("{} has the value {} twice: the same case would run twice; keep one", what,
                                 config::shown(*i));
  return {key, *list, where};
}

std::vector<Axis> KeyTables::axes(const Value& table, const std::string& name) const {
  std::vector<Axis> result;
  for (const auto& entry : keys(table, name)) result.push_back(axis(entry, name));
  return result;
}

std::vector<Value> spaced_values(const config::Member& spec, const std::string& what) {
  static const std::vector<std::string> known{"linspace", "geomspace"};
  if (std::ranges::find(known, spec.key) == known.end())
    throw ConfigurationError("{}: '{}' is no way to list values; allowed: a list, linspace, geomspace.{}", what,
                             spec.key, did_you_mean(spec.key, known));
  const auto* list = spec.value.as<Array>();
  const auto* count = list != nullptr && list->size() == 3 ? (*list)[2].as<std::int64_t>() : nullptr;
  const auto first = count != nullptr ? number_of((*list)[0]) : std::nullopt;
  const auto last = count != nullptr ? number_of((*list)[1]) : std::nullopt;
  constexpr std::int64_t most = 1'000'000;
  if (!first || !last || *count < 2 || *count > most || !std::isfinite(*first) || !std::isfinite(*last))
    throw ConfigurationError("{}: {} takes [first, last, count] with a count of 2 to {}, as in [0.1, 0.5, 5]", what,
                             spec.key, most);
  const bool logarithmic = spec.key == "geomspace";
  if (logarithmic && (*first <= 0 || *last <= 0))
    throw ConfigurationError("{}: geomspace goes from one number above 0 to another, found {} and {}", what, *first,
                             *last);
  if (*first == *last) throw ConfigurationError("{}: {} from {} to {} is one value", what, spec.key, *first, *last);
  const auto steps = static_cast<double>(*count - 1);
  std::vector<double> reals;
  for (std::int64_t i = 0; i < *count; ++i) {
    const auto share = static_cast<double>(i) / steps;
    const double inner = logarithmic ? *first * std::pow(*last / *first, share) : *first + (*last - *first) * share;
    // The last digits of powers are noise that nobody wants to read.
    const double value = i == 0 ? *first : i + 1 == *count ? *last : std::stod(fmt::format("{:.12g}", inner));
    reals.push_back(value);
  }
  const bool whole = (*list)[0].as<std::int64_t>() != nullptr && (*list)[1].as<std::int64_t>() != nullptr &&
                     std::ranges::all_of(reals, [](double value) { return value == std::round(value); });
  std::vector<Value> values;
  values.reserve(reals.size());
  for (const double value : reals)
    values.push_back(whole ? Value{std::llround(value), spec.value.origin} : Value{value, spec.value.origin});
  return values;
}

}  // namespace rankflow::sweep
