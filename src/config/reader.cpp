#include "config/reader.hpp"

#include <algorithm>
#include <filesystem>

#include "config/array_table.hpp"
#include "config/leaf_reader.hpp"
#include "config/unknown_key.hpp"
#include "core/error.hpp"

namespace rankflow::config {

Reader::Reader(const Value& root, const std::string& source, std::vector<std::string> known)
    : places_(source), known_(std::move(known)) {
  enter(&root, "");
}

const Value* Reader::ask(std::string_view key) {
  auto& level = levels_.back();
  level.keys.emplace_back(key);
  return level.value == nullptr ? nullptr : level.value->find(key);
}

void Reader::enter(const Value* value, std::string name) {
  levels_.push_back({value, std::move(name)});
}

std::string Reader::folder_of(const Value& value) const {
  if (!value.origin.set.empty()) return "";
  const auto& file = value.origin.file.empty() ? places_.source() : value.origin.file;
  return std::filesystem::path(file).parent_path().string();
}

void Reader::leaf(std::string_view key, const Slot& slot, const Spec& spec) {
  const auto* value = ask(key);
  const auto full = dotted(levels_.back().name, key);
  if (value == nullptr) {
    places_.record_default(full);
    if (spec.required)
      levels_.back().missing.push_back(fmt::format("'{}' is missing; give {}", full, allowed_text(slot, spec)));
    return;
  }
  places_.record(full, value->origin);
  if (const auto* array = std::get_if<ArraySource*>(&slot); array != nullptr && value->as<Table>() != nullptr) {
    read_array_table(full, *value, **array, spec);
  } else {
    read_leaf({*value, full, places_.location(value->origin), folder_of(*value), slot, spec});
  }
}

void Reader::read_array_table(const std::string& key, const Value& value, ArraySource& target, const Spec& spec) {
  ArrayTable table(spec);
  enter(&value, key);
  Visitor visitor(*this);
  table.describe(visitor);
  leave();
  target = table.source(Checker(key, places_), folder_of(value));
}

bool Reader::enter_table(std::string_view key, std::string_view /*doc*/, TableKind kind, bool /*present*/) {
  const auto* value = ask(key);
  auto full = dotted(levels_.back().name, key);
  if (value == nullptr && kind == TableKind::optional) return false;
  if (value != nullptr) {
    places_.record(full, value->origin);
    if (value->as<Table>() == nullptr)
      throw ConfigurationError("{}: '{}' = {} is {}; allowed: a table, written [{}]", places_.location(value->origin),
                               full, shown(*value), type_of(*value), full);
  }
  enter(value, std::move(full));
  return true;
}

ListPlan Reader::plan_list(std::string_view key, std::size_t present) {
  const auto* value = ask(key);
  if (value == nullptr) return {present, false};
  const auto full = dotted(levels_.back().name, key);
  places_.record(full, value->origin);
  const auto* entries = value->as<Array>();
  const auto refuse = [&](const Value& found, const std::string& name) {
    throw ConfigurationError("{}: '{}' = {} is {}; allowed: an array of tables, each entry written [[{}]]",
                             places_.location(found.origin), name, shown(found), type_of(found), full);
  };
  if (entries == nullptr) refuse(*value, full);
  for (std::size_t i = 0; i < entries->size(); ++i)
    if ((*entries)[i].as<Table>() == nullptr) refuse((*entries)[i], dotted(full, std::to_string(i)));
  return {entries->size(), true};
}

void Reader::enter_entry(std::string_view key, std::string_view /*doc*/, std::size_t index) {
  const auto& level = levels_.back();
  const auto* list = level.value == nullptr ? nullptr : level.value->find(key);
  const auto* entry = list == nullptr ? nullptr : &list->as<Array>()->at(index);
  auto full = dotted(dotted(level.name, key), std::to_string(index));
  if (entry != nullptr) places_.record(full, entry->origin);
  enter(entry, std::move(full));
}

void Reader::leave() {
  const auto level = std::move(levels_.back());
  levels_.pop_back();
  refuse_unknown(level);
  // After the unknown keys: a required key is often missing because it was misspelt.
  if (!level.missing.empty())
    throw ConfigurationError("{}: required key {}", places_.location(level.name), level.missing.front());
}

void Reader::refuse_unknown(const Level& level) const {
  if (level.value == nullptr) return;
  for (const auto& [key, value] : *level.value->as<Table>()) {
    if (std::find(level.keys.begin(), level.keys.end(), key) != level.keys.end()) continue;
    const bool table = value.as<Table>() != nullptr;
    throw ConfigurationError("{}: unknown {} '{}' = {}.{}", places_.location(value.origin), table ? "table" : "key",
                             dotted(level.name, key), shown(value),
                             unknown_key_hint(key, level.name, level.keys, known_));
  }
}

void Reader::validate_later(std::function<void(const Checker&)> check) {
  checks_.emplace_back(levels_.back().name, std::move(check));
}

void Reader::finish() {
  leave();
  for (const auto& [name, check] : checks_) check(Checker(name, places_));
}

}  // namespace rankflow::config
