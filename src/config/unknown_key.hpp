#pragma once
#include <string>
#include <vector>

namespace rankflow::config {

/// What to say of a key that is not known in `table`: the nearest of the table's `keys` (also for wrong case or
/// '-' for '_') and the same or nearest key of other tables; without any, the list of `keys`.
std::string unknown_key_hint(const std::string& key, const std::string& table, const std::vector<std::string>& keys,
                             const std::vector<std::string>& all_dotted);

}  // namespace rankflow::config
