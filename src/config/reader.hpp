#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/checker.hpp"
#include "config/value.hpp"
#include "config/visitor.hpp"

namespace rankflow::config {

/// Fills options from a tree of values. Every key of the tree must be asked for: one that is not, a wrong type,
/// a value out of range and a missing required key throw ConfigurationError.
class Reader final : public Backend {
 public:
  /// `root` must outlive the reader; `known` are all dotted keys, for suggestions.
  Reader(const Value& root, const std::string& source, std::vector<std::string> known);

  void leaf(std::string_view key, const Slot& slot, const Spec& spec) override;
  bool enter_table(std::string_view key, std::string_view doc, TableKind kind, bool present) override;
  ListPlan plan_list(std::string_view key, std::size_t present) override;
  void enter_entry(std::string_view key, std::string_view doc, std::size_t index) override;
  void leave() override;
  void validate_later(std::function<void(const Checker&)> check) override;

  /// Closes the top table and runs the cross-checks, after all keys were read.
  void finish();
  const Places& places() const noexcept { return places_; }

 private:
  /// A table that is being described.
  struct Level {
    const Value* value;                     ///< null when the file has no such table
    std::string name;                       ///< dotted
    std::vector<std::string> keys = {};     ///< asked for so far
    std::vector<std::string> missing = {};  ///< required and absent, with what is allowed
  };

  const Value* ask(std::string_view key);
  void enter(const Value* value, std::string name);
  std::string folder_of(const Value& value) const;
  void read_array_table(const std::string& key, const Value& value, ArraySource& target, const Spec& spec);
  void refuse_unknown(const Level& level) const;

  Places places_;
  std::vector<std::string> known_;
  std::vector<Level> levels_;
  std::vector<std::pair<std::string, std::function<void(const Checker&)>>> checks_;
};

}  // namespace rankflow::config
