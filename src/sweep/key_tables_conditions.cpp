#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "sweep/key_tables.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::array relations{std::pair{"above", Relation::above}, std::pair{"at_least", Relation::at_least},
                               std::pair{"below", Relation::below}, std::pair{"at_most", Relation::at_most},
                               std::pair{"is", Relation::any_of},   std::pair{"not", Relation::none_of}};

Relation relation_named(const std::string& name, const std::string& what) {
  std::vector<std::string> names;
  for (const auto& [known, relation] : relations) {
    if (name == known) return relation;
    names.emplace_back(known);
  }
  throw ConfigurationError("{}: '{}' is no comparison; allowed: above, at_least, below, at_most, is, not.{}", what,
                           name, did_you_mean(name, names));
}

/// A list stands for any of its values.
std::vector<config::Value> operands_of(const config::Value& value) {
  if (const auto* list = value.as<config::Array>()) return *list;
  return {value};
}

}  // namespace

Test KeyTables::test(const config::Member& member, const Assignment& entry, const std::string& name) const {
  const auto& value = member.value;
  const auto what =
      fmt::format("{}: '{}' = {} in [[{}]]", place(entry.value.origin), entry.key, config::shown(entry.value), name);
  Test test{.relation = relation_named(member.key, what), .operands = {}, .other = {}};
  const bool among = test.relation == Relation::any_of || test.relation == Relation::none_of;
  if (const auto* text = value.as<std::string>(); text != nullptr && (!among || kind_.knows(*text))) {
    require_known(*text, value.origin, name);
    test.other = *text;
  } else if (among) {
    test.operands = operands_of(value);
  } else {
    if (!number_of(value))
      throw ConfigurationError("{}: {} compares with a number or with another key (\"network.neurons\"), found {}",
                               what, member.key, config::type_of(value));
    test.operands = {value};
  }
  return test;
}

Condition KeyTables::condition(const Assignment& entry, const std::string& name) const {
  const auto& [key, value] = entry;
  Condition result{.key = key, .tests = {}, .place = place(value.origin)};
  if (const auto* table = value.as<config::Table>()) {
    for (const auto& member : *table) result.tests.push_back(test(member, entry, name));
  } else {
    result.tests.push_back({.relation = Relation::any_of, .operands = operands_of(value), .other = {}});
  }
  const bool empty = result.tests.empty() || std::ranges::any_of(result.tests, [](const Test& t) {
                       return t.operands.empty() && t.other.empty();
                     });
  if (empty)
    throw ConfigurationError(
        "{}: '{}' = {} in [[{}]] compares with nothing; give a value, a list of values, or {{ above = … }}",
        place(value.origin), key, config::shown(value), name);
  return result;
}

std::vector<Condition> KeyTables::conditions(const config::Value& table, const std::string& name) const {
  std::vector<Condition> result;
  for (const auto& entry : keys(table, name)) result.push_back(condition(entry, name));
  if (result.empty())
    throw ConfigurationError("{}: [[{}]] has no condition: it would hold for every case; give a key with a value",
                             place(table.origin), name);
  return result;
}

}  // namespace rankflow::sweep
