#include "config/slot.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace rankflow::config {
namespace {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

std::optional<Value> to_value(std::int64_t value) {
  return Value{value};
}
std::optional<Value> to_value(bool value) {
  return Value{value};
}
std::optional<Value> to_value(const std::string& value) {
  return Value{value};
}

std::optional<Value> to_value(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return Value{value};
}

std::optional<Value> to_value(const Value& value) {
  return value;
}

template <class T>
std::optional<Value> to_value(const std::vector<T>& list) {
  Array array;
  for (const auto& element : list) {
    auto value = to_value(element);
    if (!value) return std::nullopt;
    array.push_back(*std::move(value));
  }
  return Value{std::move(array)};
}

Value nested(const ArraySource& source, std::size_t dimension, std::size_t& next) {
  if (dimension == source.shape.size()) return {source.values[next++]};
  Array array;
  for (std::int64_t i = 0; i < source.shape[dimension]; ++i) array.push_back(nested(source, dimension + 1, next));
  return {std::move(array)};
}

std::optional<Value> to_value(const ArraySource& source) {
  if (!source.given) return std::nullopt;
  const bool inline_values = source.path.empty();
  std::size_t next = 0;
  if (inline_values && !source.transpose && source.scale == 1.0) return nested(source, 0, next);
  Table table;
  if (inline_values) {
    table.push_back({"values", nested(source, 0, next)});
  } else {
    table.push_back({"file", {source.path}});
    table.push_back({"member", {source.member}});
  }
  if (source.transpose) table.push_back({"transpose", {true}});
  if (source.scale != 1.0) table.push_back({"scale", {source.scale}});
  return Value{std::move(table)};
}

struct ToValue {
  template <class T>
  std::optional<Value> operator()(const T* value) const {
    if constexpr (IsOptional<T>::value) {
      return *value ? to_value(**value) : std::nullopt;
    } else {
      return to_value(*value);
    }
  }
  std::optional<Value> operator()(PathSlot slot) const { return to_value(*slot.value); }
  std::optional<Value> operator()(OptionalPathSlot slot) const { return (*this)(slot.value); }
  std::optional<Value> operator()(const ChoiceSlot* slot) const {
    if (!slot->chosen) return std::nullopt;
    return Value{std::string(slot->names.at(*slot->chosen).name)};
  }
};

/// The short name of the type and its description with article.
struct TypeNames {
  std::string_view type, description;
};

struct NamesOf {
  TypeNames operator()(const std::int64_t*) const { return {"integer", "an integer"}; }
  TypeNames operator()(const double*) const { return {"real", "a finite real number"}; }
  TypeNames operator()(const bool*) const { return {"flag", "true or false"}; }
  TypeNames operator()(const std::string*) const { return {"text", "text in quotes"}; }
  TypeNames operator()(PathSlot) const { return {"path", "a file name in quotes"}; }
  TypeNames operator()(OptionalPathSlot) const { return (*this)(PathSlot{}); }
  TypeNames operator()(const std::vector<std::int64_t>*) const { return {"integers", "a list of integers"}; }
  TypeNames operator()(const std::vector<double>*) const { return {"reals", "a list of finite real numbers"}; }
  TypeNames operator()(const Matrix*) const {
    return {"matrix", "a list of rows of finite real numbers, all rows of one length, as in [[1, 2], [3, 4]]"};
  }
  TypeNames operator()(const ArraySource*) const {
    return {"array",
            "finite real numbers in one to three nested lists, or a file: \"file.npy\", \"file.npz:name\", "
            "\"file.h5:/data/set\", or { file = …, transpose = true, scale = 2.0 }"};
  }
  TypeNames operator()(const ChoiceSlot*) const { return {"choice", ""}; }
  TypeNames operator()(const Value*) const { return {"values", "any TOML value"}; }
  template <class T>
  TypeNames operator()(const std::optional<T>*) const {
    return (*this)(static_cast<const T*>(nullptr));
  }
};

void append(std::string& text, std::string_view words, const std::optional<double>& bound) {
  if (bound) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", words, *bound);
}

}  // namespace

std::optional<Value> slot_value(const Slot& slot) {
  return std::visit(ToValue{}, slot);
}

std::string slot_type(const Slot& slot) {
  return std::string(std::visit(NamesOf{}, slot).type);
}

std::string range_text(const Spec& spec) {
  std::string text;
  append(text, "above", spec.above);
  append(text, "at least", spec.minimum);
  append(text, "at most", spec.maximum);
  append(text, "below", spec.below);
  return text;
}

std::string allowed_text(const Slot& slot, const Spec& spec) {
  if (const auto* choice = std::get_if<ChoiceSlot*>(&slot)) {
    std::string names;
    for (const auto& name : (*choice)->names) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name.name);
    return "one of " + names;
  }
  auto text = std::string(std::visit(NamesOf{}, slot).description);
  if (const auto range = range_text(spec); !range.empty()) text += ", " + range;
  if (spec.length) text += fmt::format(", {} of them", *spec.length);
  if (!spec.unit.empty()) text += fmt::format(", in {}", spec.unit);
  return text;
}

}  // namespace rankflow::config
