#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "config/visitor.hpp"

namespace rankflow::config {

/// A key as it is documented.
struct KeyListing {
  std::string key, type, default_text, unit, allowed, doc;
};

/// A table as it is documented; entries of lists are named by their first index, inputs.0.
struct TableListing {
  enum class Kind { top, table, optional_table, list };
  Kind kind = Kind::top;
  std::string name;  ///< dotted, as in a --set
  std::string doc;
  std::vector<KeyListing> keys = {};
};

/// Lists every table and key, each list with one default-made entry, in the order of description.
class Lister final : public Backend {
 public:
  Lister();

  void leaf(std::string_view key, const Slot& slot, const Spec& spec) override;
  bool enter_table(std::string_view key, std::string_view doc, TableKind kind, bool present) override;
  ListPlan plan_list(std::string_view key, std::size_t present) override;
  void enter_entry(std::string_view key, std::string_view doc, std::size_t index) override;
  void leave() override;
  void validate_later(std::function<void(const Checker&)> /*check*/) override {}

  const std::vector<TableListing>& tables() const noexcept { return tables_; }

 private:
  void enter(TableListing::Kind kind, std::string name, std::string_view doc);
  const std::string& name() const { return tables_[open_.back()].name; }

  std::vector<TableListing> tables_;
  std::vector<std::size_t> open_;  ///< indices of the tables around the present key
};

/// Dotted names of all keys and tables, of lists as a whole (inputs) and of their first entry (inputs.0).
std::vector<std::string> dotted_names(const std::vector<TableListing>& tables);

/// Reference of all tables and keys as Markdown.
std::string markdown(const std::vector<TableListing>& tables, std::string_view title);

}  // namespace rankflow::config
