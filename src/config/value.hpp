#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rankflow::config {

/// Where a value was written: a line of the file, or a --set argument; neither for a default.
struct Origin {
  std::int64_t line = 0;
  std::string set = {};   ///< the text "key=value" of --set
  std::string file = {};  ///< the line is one of this file; empty: of the document that is read

  bool known() const noexcept { return line > 0 || !set.empty(); }
};

struct Value;
struct Member;

/// Dates and times are TOML but no option of ours takes one; the text is kept for messages.
struct Date {
  std::string text;
};

using Array = std::vector<Value>;
using Table = std::vector<Member>;  ///< in order of appearance

/// A tree of TOML values, independent of the library that parsed it.
struct Value {
  std::variant<bool, std::int64_t, double, std::string, Date, Array, Table> content;
  Origin origin = {};

  template <class T>
  const T* as() const noexcept {
    return std::get_if<T>(&content);
  }
  template <class T>
  T* as() noexcept {
    return std::get_if<T>(&content);
  }
  /// The member of a table; null when there is none or this is no table.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
};

struct Member {
  std::string key;
  Value value;
};

/// "an integer", "text", "a table", …
std::string type_of(const Value& value);
/// The value as TOML on one line, shortened to some 60 characters, for messages.
std::string shown(const Value& value);

}  // namespace rankflow::config
