#include "config/value.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/toml_text.hpp"

namespace rankflow::config {

const Value* Value::find(std::string_view key) const {
  const auto* table = as<Table>();
  if (table == nullptr) return nullptr;
  const auto found = std::find_if(table->begin(), table->end(), [&](const Member& m) { return m.key == key; });
  return found == table->end() ? nullptr : &found->value;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

std::string type_of(const Value& value) {
  static constexpr std::array names{"true or false",  "an integer", "a real number", "text",
                                    "a date or time", "a list",     "a table"};
  static_assert(names.size() == std::variant_size_v<decltype(value.content)>);
  return names.at(value.content.index());
}

std::string shown(const Value& value) {
  constexpr std::size_t longest = 60;
  auto text = inline_toml(value);
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not within a UTF-8 character
  return text.substr(0, end) + "…";
}

}  // namespace rankflow::config
