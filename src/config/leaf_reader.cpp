#include "config/leaf_reader.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace rankflow::config {
namespace {

bool outside(double value, const Spec& spec) {
  return (spec.above && value <= *spec.above) || (spec.minimum && value < *spec.minimum) ||
         (spec.maximum && value > *spec.maximum) || (spec.below && value >= *spec.below);
}

/// Reads the leaf's value into the variable behind its slot.
class LeafReader {
 public:
  explicit LeafReader(const FoundLeaf& leaf) : leaf_(leaf) {}

  void operator()(std::int64_t* target) const { *target = integer(leaf_.key, leaf_.value); }
  void operator()(double* target) const { *target = real(leaf_.key, leaf_.value); }
  void operator()(bool* target) const { *target = typed<bool>(leaf_.key, leaf_.value); }
  void operator()(std::string* target) const { *target = typed<std::string>(leaf_.key, leaf_.value); }
  void operator()(PathSlot slot) const {
    (*this)(slot.value);
    *slot.value = resolved_path(*slot.value, leaf_.folder);
  }
  void operator()(OptionalPathSlot slot) const { (*this)(PathSlot{&slot.value->emplace()}); }
  void operator()(Value* target) const { *target = leaf_.value; }
  template <class T>
  void operator()(std::optional<T>* target) const {
    (*this)(&target->emplace());
  }

  void operator()(std::vector<std::int64_t>* target) const {
    target->clear();
    each(leaf_.key, leaf_.value, [&](const auto& key, const Value& v) { target->push_back(integer(key, v)); });
    require_length();
  }
  void operator()(std::vector<double>* target) const {
    *target = row(leaf_.key, leaf_.value);
    require_length();
  }
  void operator()(Matrix* target) const {
    target->clear();
    each(leaf_.key, leaf_.value, [&](const auto& key, const Value& v) {
      target->push_back(row(key, v));
      if (target->back().size() != target->front().size())
        refuse(leaf_, key, v,
               fmt::format("has {} numbers, but the first row has {}", target->back().size(), target->front().size()));
    });
    require_length();
  }

  void operator()(ArraySource* target) const {
    *target = {};
    target->given = true;
    if (const auto* text = leaf_.value.as<std::string>()) {
      if (text->empty()) refuse(leaf_, leaf_.key, leaf_.value, "is empty text");
      return set_file(*target, *text, leaf_.folder);
    }
    target->shape = nested_shape();
    append_nested(*target, leaf_.key, leaf_.value, 0);
    require_length();
  }

  void operator()(ChoiceSlot* target) const {
    const auto& text = typed<std::string>(leaf_.key, leaf_.value);
    std::vector<std::string> names;
    for (const auto& name : target->names) names.emplace_back(name.name);
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end())
      refuse(leaf_, leaf_.key, leaf_.value, "is not among the choices", did_you_mean(text, names));
    target->chosen = static_cast<std::size_t>(found - names.begin());
  }

 private:
  template <class T>
  const T& typed(const std::string& key, const Value& value) const {
    if (const auto* content = value.as<T>()) return *content;
    refuse(leaf_, key, value, "is " + type_of(value));
  }

  std::int64_t integer(const std::string& key, const Value& value) const {
    if (const auto* number = value.as<double>(); number != nullptr && std::abs(*number) < 0x1p53)
      if (const auto whole = static_cast<std::int64_t>(*number); static_cast<double>(whole) == *number)
        refuse(leaf_, key, value, "is a real number", fmt::format(" Write {}.", whole));
    const auto number = typed<std::int64_t>(key, value);
    if (outside(static_cast<double>(number), leaf_.spec)) refuse(leaf_, key, value, "is out of range");
    return number;
  }

  double real(const std::string& key, const Value& value) const {
    const auto* whole = value.as<std::int64_t>();
    const double number = whole != nullptr ? static_cast<double>(*whole) : typed<double>(key, value);
    if (!std::isfinite(number)) refuse(leaf_, key, value, "is not finite");
    if (outside(number, leaf_.spec)) refuse(leaf_, key, value, "is out of range");
    return number;
  }

  template <class Action>
  void each(const std::string& key, const Value& list, Action&& action) const {
    const auto& array = typed<Array>(key, list);
    for (std::size_t i = 0; i < array.size(); ++i) action(dotted(key, std::to_string(i)), array[i]);
  }

  std::vector<double> row(const std::string& key, const Value& list) const {
    std::vector<double> numbers;
    each(key, list, [&](const auto& element_key, const Value& v) { numbers.push_back(real(element_key, v)); });
    return numbers;
  }

  /// The lengths along the first elements; that all others agree is checked when they are read.
  std::vector<std::int64_t> nested_shape() const {
    std::vector<std::int64_t> shape;
    for (const auto* list = &typed<Array>(leaf_.key, leaf_.value); list != nullptr;) {
      shape.push_back(static_cast<std::int64_t>(list->size()));
      list = list->empty() ? nullptr : list->front().as<Array>();
    }
    if (shape.size() > 3) refuse(leaf_, leaf_.key, leaf_.value, fmt::format("nests {} levels of lists", shape.size()));
    return shape;
  }

  void append_nested(ArraySource& target, const std::string& key, const Value& value, std::size_t level) const {
    if (level == target.shape.size()) return target.values.push_back(real(key, value));
    const auto size = static_cast<std::int64_t>(typed<Array>(key, value).size());
    if (size != target.shape[level])
      refuse(leaf_, key, value,
             fmt::format("has {} entries, but the first list of its level has {}", size, target.shape[level]));
    each(key, value, [&](const auto& element_key, const Value& element) {
      append_nested(target, element_key, element, level + 1);
    });
  }

  void require_length() const {
    const auto size = static_cast<std::int64_t>(leaf_.value.as<Array>()->size());
    if (leaf_.spec.length && size != *leaf_.spec.length)
      refuse(leaf_, leaf_.key, leaf_.value, fmt::format("has {} entries", size));
  }

  const FoundLeaf& leaf_;
};

}  // namespace

void read_leaf(const FoundLeaf& leaf) {
  std::visit(LeafReader(leaf), leaf.slot);
}

void refuse(const FoundLeaf& leaf, const std::string& key, const Value& value, std::string_view why,
            std::string_view hint) {
  throw ConfigurationError("{}: '{}' = {} {}; allowed: {}.{}", leaf.location, key, shown(value), why,
                           allowed_text(leaf.slot, leaf.spec), hint);
}

std::string resolved_path(const std::string& path, const std::string& folder) {
  if (path.empty()) return path;
  return std::filesystem::absolute(std::filesystem::path(folder) / path).lexically_normal().string();
}

void set_file(ArraySource& source, const std::string& text, const std::string& folder) {
  auto file = text;
  for (auto colon = text.rfind(':'); colon != std::string::npos && colon > 0; colon = text.rfind(':', colon - 1)) {
    const auto left = text.substr(0, colon);
    const auto name = left.substr(left.rfind('/') + 1);
    if (name.find('.') == std::string::npos && text[colon + 1] != '/') continue;
    file = left;
    source.member = text.substr(colon + 1);
    break;
  }
  source.path = resolved_path(file, folder);
}

}  // namespace rankflow::config
