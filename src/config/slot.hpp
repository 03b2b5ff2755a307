#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/options.hpp"
#include "config/value.hpp"

namespace rankflow::config {

using Matrix = std::vector<std::vector<double>>;

/// Text that is a file name, relative to the configuration file's folder.
struct PathSlot {
  std::string* value;
};
struct OptionalPathSlot {
  std::optional<std::string>* value;
};

/// A choice without its enum type: which of the names is chosen; none only when the option is optional.
struct ChoiceSlot {
  struct Name {
    std::string_view name, doc;
  };
  std::vector<Name> names;
  std::optional<std::size_t> chosen;
};

/// The variable behind a key.
using Slot = std::variant<std::int64_t*, std::optional<std::int64_t>*, double*, std::optional<double>*, bool*,
                          std::optional<bool>*, std::string*, std::optional<std::string>*, PathSlot, OptionalPathSlot,
                          std::vector<std::int64_t>*, std::vector<double>*, Matrix*, ArraySource*, ChoiceSlot*,
                          std::optional<Value>*>;

/// The variable's value as TOML; nothing when it is an unset optional, an array not given, or a default that
/// no file could state (not finite), so that leaving the key out gives the same value again.
std::optional<Value> slot_value(const Slot& slot);
/// "integer", "real", "choice", …
std::string slot_type(const Slot& slot);
/// The range in words: "above 0, at most 1"; empty when there is none.
std::string range_text(const Spec& spec);
/// All that is allowed in words: "an integer, at least 1".
std::string allowed_text(const Slot& slot, const Spec& spec);

}  // namespace rankflow::config
