#pragma once
#include <filesystem>
#include <string_view>

#include "config/visitor.hpp"

namespace rankflow::config {

/// Makes every file name of options relative to a folder, so that their text stays the same when folder and files move
/// together.
class RelativePaths final : public Backend {
 public:
  /// Of an empty folder: leaves the file's own name and nothing else.
  explicit RelativePaths(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}

  void leaf(std::string_view key, const Slot& slot, const Spec& spec) override;
  bool enter_table(std::string_view key, std::string_view doc, TableKind kind, bool present) override;
  ListPlan plan_list(std::string_view key, std::size_t present) override;
  void enter_entry(std::string_view /*key*/, std::string_view /*doc*/, std::size_t /*index*/) override {}
  void leave() override {}
  void validate_later(std::function<void(const Checker&)> /*check*/) override {}

 private:
  void shorten(std::string& path) const;

  std::filesystem::path folder_;
};

}  // namespace rankflow::config
