#include "sweep/conditions.hpp"

#include <algorithm>

#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "sweep/key_tables.hpp"

namespace rankflow::sweep {
namespace {

bool compare(Relation relation, double value, double operand) {
  switch (relation) {
    case Relation::above:
      return value > operand;
    case Relation::at_least:
      return value >= operand;
    case Relation::below:
      return value < operand;
    case Relation::at_most:
      return value <= operand;
    case Relation::any_of:
    case Relation::none_of:
      break;
  }
  throw InternalError("a relation that does not compare numbers");
}

double number(const config::Value& value, const std::string& key, const Condition& condition) {
  if (const auto result = number_of(value)) return *result;
  throw ConfigurationError("{}: the condition on '{}' compares numbers, but '{}' is {} ({})", condition.place,
                           condition.key, key, config::type_of(value), config::shown(value));
}

bool holds(const Test& test, const Condition& condition, const Setting& setting, const CaseValues& values) {
  const auto* value = values.find(setting, condition.key);
  const auto* other = test.other.empty() ? nullptr : values.find(setting, test.other);
  if (test.relation == Relation::any_of || test.relation == Relation::none_of) {
    const auto equal = [&](const config::Value& operand) { return value != nullptr && same_value(*value, operand); };
    const bool among =
        test.other.empty() ? std::ranges::any_of(test.operands, equal) : other != nullptr && equal(*other);
    return among == (test.relation == Relation::any_of);
  }
  if (!test.other.empty() && other == nullptr) return false;
  const auto& operand = test.other.empty() ? test.operands.front() : *other;
  return value != nullptr && compare(test.relation, number(*value, condition.key, condition),
                                     number(operand, test.other.empty() ? condition.key : test.other, condition));
}

}  // namespace

const config::Value* CaseValues::find(const Setting& setting, const std::string& key) const {
  const auto found = std::ranges::find(setting, key, &Assignment::key);
  if (found != setting.end()) return &found->value;
  if (const auto* value = find_value(base_, key)) return value;
  return kind_.default_of(key);
}

bool same_value(const config::Value& a, const config::Value& b) {
  const auto x = number_of(a), y = number_of(b);
  if (x && y) return *x == *y;
  return config::inline_toml(a) == config::inline_toml(b);
}

bool all_hold(const std::vector<Condition>& conditions, const Setting& setting, const CaseValues& values) {
  return std::ranges::all_of(conditions, [&](const Condition& condition) {
    return std::ranges::all_of(condition.tests,
                               [&](const Test& test) { return holds(test, condition, setting, values); });
  });
}

}  // namespace rankflow::sweep
