#include "config/listing.hpp"

#include "config/checker.hpp"
#include "config/toml_text.hpp"

namespace rankflow::config {
namespace {

std::string default_text(const Slot& slot, const Spec& spec) {
  if (spec.required) return "required";
  const auto value = slot_value(slot);
  return value ? fmt::format("`{}`", inline_toml(*value)) : "not set";
}

std::string documented_values(const Slot& slot, const Spec& spec) {
  const auto* choice = std::get_if<ChoiceSlot*>(&slot);
  if (choice == nullptr) {
    auto text = range_text(spec);
    if (spec.length) text += fmt::format("{}{} entries", text.empty() ? "" : ", ", *spec.length);
    return text;
  }
  std::string text;
  for (const auto& [name, doc] : (*choice)->names)
    text += fmt::format("{}`\"{}\"`{}{}", text.empty() ? "" : "; ", name, doc.empty() ? "" : ": ", doc);
  return text;
}

}  // namespace

Lister::Lister() {
  enter(TableListing::Kind::top, "", "");
}

void Lister::enter(TableListing::Kind kind, std::string table, std::string_view doc) {
  open_.push_back(tables_.size());
  tables_.push_back({kind, std::move(table), std::string(doc)});
}

void Lister::leaf(std::string_view key, const Slot& slot, const Spec& spec) {
  tables_[open_.back()].keys.push_back({std::string(key), slot_type(slot), default_text(slot, spec),
                                        std::string(spec.unit), documented_values(slot, spec), std::string(spec.doc)});
}

bool Lister::enter_table(std::string_view key, std::string_view doc, TableKind kind, bool /*present*/) {
  enter(kind == TableKind::optional ? TableListing::Kind::optional_table : TableListing::Kind::table,
        dotted(name(), key), doc);
  return true;
}

ListPlan Lister::plan_list(std::string_view /*key*/, std::size_t /*present*/) {
  return {1, true};
}

void Lister::enter_entry(std::string_view key, std::string_view doc, std::size_t index) {
  enter(TableListing::Kind::list, dotted(dotted(name(), key), std::to_string(index)), doc);
}

void Lister::leave() {
  open_.pop_back();
}

std::vector<std::string> dotted_names(const std::vector<TableListing>& tables) {
  std::vector<std::string> names;
  for (const auto& table : tables) {
    if (table.kind == TableListing::Kind::list) names.push_back(table.name.substr(0, table.name.rfind('.')));
    if (table.kind != TableListing::Kind::top) names.push_back(table.name);
    for (const auto& key : table.keys) names.push_back(dotted(table.name, key.key));
  }
  return names;
}

}  // namespace rankflow::config
