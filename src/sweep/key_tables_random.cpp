#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "sweep/key_tables.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::array laws{std::pair{"uniform", Law::uniform}, std::pair{"log_uniform", Law::log_uniform},
                          std::pair{"integer", Law::integer}, std::pair{"choice", Law::choice}};

Law law_named(const std::string& name, const std::string& what) {
  std::vector<std::string> names;
  for (const auto& [known, law] : laws) {
    if (name == known) return law;
    names.emplace_back(known);
  }
  throw ConfigurationError("{}: '{}' is no way to draw; allowed: uniform, log_uniform, integer, choice.{}", what, name,
                           did_you_mean(name, names));
}

void read_bounds(Drawn& drawn, const std::string& law, const config::Array& list, const std::string& what) {
  const auto low = list.size() == 2 ? number_of(list[0]) : std::nullopt;
  const auto high = list.size() == 2 ? number_of(list[1]) : std::nullopt;
  if (!low || !high || !std::isfinite(*low) || !std::isfinite(*high))
    throw ConfigurationError("{}: {} takes two finite numbers, [lowest, highest]", what, law);
  if (drawn.law == Law::integer && (list[0].as<std::int64_t>() == nullptr || list[1].as<std::int64_t>() == nullptr))
    throw ConfigurationError("{}: integer takes two integers, [lowest, highest], both included", what);
  if (drawn.law == Law::log_uniform && (*low <= 0 || *high <= 0))
    throw ConfigurationError(
        "{}: log_uniform draws the logarithm: both bounds must be above 0, found {} and {}; use uniform for a range "
        "that reaches 0",
        what, *low, *high);
  if (*low >= *high)
    throw ConfigurationError("{}: the lowest value {} must be below the highest {}", what, *low, *high);
  drawn.low = *low;
  drawn.high = *high;
}

}  // namespace

Drawn KeyTables::draw(const Assignment& entry, const std::string& name) const {
  const auto& [key, value] = entry;
  const auto what = fmt::format("{}: '{}' = {} in [{}]", place(value.origin), key, config::shown(value), name);
  const auto* table = value.as<config::Table>();
  const auto* list = table != nullptr && table->size() == 1 ? table->front().value.as<config::Array>() : nullptr;
  if (table != nullptr && table->size() == 1) law_named(table->front().key, what);
  if (list == nullptr)
    throw ConfigurationError(
        "{} is {}; allowed: {{ uniform = [a, b] }}, {{ log_uniform = [a, b] }}, {{ integer = [a, b] }} or {{ choice = "
        "[…] }}",
        what, config::type_of(value));
  Drawn drawn{.key = key, .law = law_named(table->front().key, what), .choices = {}, .origin = value.origin};
  if (drawn.law != Law::choice) {
    read_bounds(drawn, table->front().key, *list, what);
  } else {
    if (list->empty()) throw ConfigurationError("{}: choice is an empty list; give values to choose from", what);
    drawn.choices = *list;
  }
  return drawn;
}

std::vector<Drawn> KeyTables::drawn(const Setting& keys, const std::string& name) const {
  std::vector<Drawn> result;
  for (const auto& entry : keys) result.push_back(draw(entry, name));
  return result;
}

}  // namespace rankflow::sweep
