#include "config/relative_paths.hpp"

namespace rankflow::config {

void RelativePaths::shorten(std::string& path) const {
  if (path.empty()) return;
  const std::filesystem::path given(path);
  path = (folder_.empty() ? given.filename() : given.lexically_relative(folder_)).generic_string();
}

void RelativePaths::leaf(std::string_view /*key*/, const Slot& slot, const Spec& /*spec*/) {
  if (const auto* path = std::get_if<PathSlot>(&slot)) shorten(*path->value);
  if (const auto* path = std::get_if<OptionalPathSlot>(&slot); path != nullptr && *path->value) shorten(**path->value);
  if (const auto* array = std::get_if<ArraySource*>(&slot)) shorten((*array)->path);
}

bool RelativePaths::enter_table(std::string_view /*key*/, std::string_view /*doc*/, TableKind /*kind*/, bool present) {
  return present;
}

ListPlan RelativePaths::plan_list(std::string_view /*key*/, std::size_t present) {
  return {present, false};
}

}  // namespace rankflow::config
