#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "config/value.hpp"
#include "config/visitor.hpp"

namespace rankflow::config {

/// Collects the present value of every key, defaults included, as one tree of values.
class Writer final : public Backend {
 public:
  Writer();

  void leaf(std::string_view key, const Slot& slot, const Spec& spec) override;
  bool enter_table(std::string_view key, std::string_view doc, TableKind kind, bool present) override;
  ListPlan plan_list(std::string_view key, std::size_t present) override;
  void enter_entry(std::string_view key, std::string_view doc, std::size_t index) override;
  void leave() override;
  void validate_later(std::function<void(const Checker&)> /*check*/) override {}

  /// The document; call when the top struct is described.
  std::string toml() const;

 private:
  struct Level {
    std::string key;
    bool entry;  ///< of a list, rather than a table of its own
    Table members = {};
  };

  std::vector<Level> levels_;
};

}  // namespace rankflow::config
