#include "config/writer.hpp"

#include "config/toml_text.hpp"

namespace rankflow::config {

Writer::Writer() {
  levels_.push_back({"", false});
}

void Writer::leaf(std::string_view key, const Slot& slot, const Spec& /*spec*/) {
  if (auto value = slot_value(slot)) levels_.back().members.push_back({std::string(key), *std::move(value)});
}

bool Writer::enter_table(std::string_view key, std::string_view /*doc*/, TableKind /*kind*/, bool present) {
  if (present) levels_.push_back({std::string(key), false});
  return present;
}

ListPlan Writer::plan_list(std::string_view key, std::size_t present) {
  levels_.back().members.push_back({std::string(key), {Array{}}});
  return {present, false};
}

void Writer::enter_entry(std::string_view key, std::string_view /*doc*/, std::size_t /*index*/) {
  levels_.push_back({std::string(key), true});
}

void Writer::leave() {
  auto level = std::move(levels_.back());
  levels_.pop_back();
  auto& parent = levels_.back().members;
  if (level.entry) {
    parent.back().value.as<Array>()->push_back({std::move(level.members)});
  } else {
    parent.push_back({std::move(level.key), {std::move(level.members)}});
  }
}

std::string Writer::toml() const {
  return document_toml({levels_.front().members});
}

}  // namespace rankflow::config
