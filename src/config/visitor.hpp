#pragma once
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "config/slot.hpp"

namespace rankflow::config {

/// Whether a table that is not in the file stands for its defaults or for nothing.
enum class TableKind { always, optional };

/// How many entries a list is to have, and whether they start from the element's defaults.
struct ListPlan {
  std::size_t count = 0;
  bool fresh = false;
};

/// What is done with the keys that an options struct describes: read, written or listed.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// One key: `slot` points at the value, which a reader overwrites and the others look at.
  virtual void leaf(std::string_view key, const Slot& slot, const Spec& spec) = 0;
  /// True: the table's keys follow, then leave(). `present` says whether the optional table has a value.
  virtual bool enter_table(std::string_view key, std::string_view doc, TableKind kind, bool present) = 0;
  /// For each of the entries planned, enter_entry(), the entry's keys and leave() follow.
  virtual ListPlan plan_list(std::string_view key, std::size_t present) = 0;
  virtual void enter_entry(std::string_view key, std::string_view doc, std::size_t index) = 0;
  /// Ends the table or entry that was entered last.
  virtual void leave() = 0;
  /// The check runs when all keys are read; only a reader has checks to run.
  virtual void validate_later(std::function<void(const Checker&)> check) = 0;
};

/// Options whose values depend on each other: validate() is called when all keys of the file are read.
template <class T>
concept Validated = requires(const T& options, const Checker& check) {
  options.validate(check);
};

/// The argument of `describe`: one call per key. All structs are described through this one class, so that
/// each describe() is compiled once.
class Visitor {
 public:
  explicit Visitor(Backend& backend) : backend_(backend) {}

  /// A table that always exists: the options keep their defaults where the file says nothing.
  template <class T>
  void table(std::string_view key, T& options, std::string_view doc) {
    if (!backend_.enter_table(key, doc, TableKind::always, true)) return;
    group(options);
    backend_.leave();
  }
  /// Absent table: nullopt.
  template <class T>
  void optional_table(std::string_view key, std::optional<T>& options, std::string_view doc) {
    if (!backend_.enter_table(key, doc, TableKind::optional, options.has_value())) {
      options.reset();
      return;
    }
    if (!options) options.emplace();
    group(*options);
    backend_.leave();
  }
  /// TOML array of tables; absent: the vector keeps its entries.
  template <class T>
  void tables(std::string_view key, std::vector<T>& entries, std::string_view doc) {
    const auto plan = backend_.plan_list(key, entries.size());
    if (plan.fresh) entries.clear();
    entries.resize(plan.count);
    for (std::size_t i = 0; i < plan.count; ++i) {
      backend_.enter_entry(key, doc, i);
      group(entries[i]);
      backend_.leave();
    }
  }

  // Values. An optional one is empty when its key is absent: code can then tell a default from a choice.
  void integer(std::string_view key, std::int64_t& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void integer(std::string_view key, std::optional<std::int64_t>& value, const Spec& spec = {}) {
    leaf(key, &value, spec);
  }
  void real(std::string_view key, double& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void real(std::string_view key, std::optional<double>& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void flag(std::string_view key, bool& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void flag(std::string_view key, std::optional<bool>& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void text(std::string_view key, std::string& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void text(std::string_view key, std::optional<std::string>& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  /// Made absolute: relative to the configuration file's folder, from --set to the working directory.
  void path(std::string_view key, std::string& value, const Spec& spec = {}) { leaf(key, PathSlot{&value}, spec); }
  void path(std::string_view key, std::optional<std::string>& value, const Spec& spec = {}) {
    leaf(key, OptionalPathSlot{&value}, spec);
  }
  void integers(std::string_view key, std::vector<std::int64_t>& value, const Spec& spec = {}) {
    leaf(key, &value, spec);
  }
  void reals(std::string_view key, std::vector<double>& value, const Spec& spec = {}) { leaf(key, &value, spec); }
  void matrix(std::string_view key, Matrix& rows, const Spec& spec = {}) { leaf(key, &rows, spec); }
  void array(std::string_view key, ArraySource& value, const Spec& spec = {}) { leaf(key, &value, spec); }

  /// Any TOML, to be read by whoever knows what may stand there; `type` of the listing is "values".
  void values(std::string_view key, std::optional<Value>& value, const Spec& spec = {}) { leaf(key, &value, spec); }

  /// One of several words, each with its meaning for the reference and for messages.
  template <class Enum>
  requires std::is_enum_v<Enum>
  void choice(std::string_view key, Enum& value,
              const std::type_identity_t<std::vector<Alternative<Enum>>>& alternatives, const Spec& spec = {}) {
    std::optional<Enum> chosen = value;
    choice(key, chosen, alternatives, spec);
    value = *chosen;
  }
  template <class Enum>
  void choice(std::string_view key, std::optional<Enum>& value,
              const std::type_identity_t<std::vector<Alternative<Enum>>>& alternatives, const Spec& spec = {}) {
    ChoiceSlot slot;
    for (const auto& alternative : alternatives) {
      if (value == alternative.value) slot.chosen = slot.names.size();
      slot.names.push_back({alternative.name, alternative.doc});
    }
    leaf(key, &slot, spec);
    if (slot.chosen) value = alternatives[*slot.chosen].value;
  }

  /// The keys of `options` within the table that is open.
  template <class T>
  void group(T& options) {
    options.describe(*this);
    if constexpr (Validated<T>) {
      backend_.validate_later([&options](const Checker& check) { std::as_const(options).validate(check); });
    }
  }

 private:
  void leaf(std::string_view key, const Slot& slot, const Spec& spec) { backend_.leaf(key, slot, spec); }

  Backend& backend_;
};

}  // namespace rankflow::config
