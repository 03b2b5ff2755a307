#pragma once
#include <string>
#include <vector>

#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// "network.rank = 2, network.neurons = 64"; "the base" when nothing is varied: the case but for its seed.
std::string setting_of(const Case& one);

/// Rows of cells under each other, columns two blanks apart, without blanks at line ends. The first row is the header.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

/// The keys that any case varies, in the order of their first appearance.
std::vector<std::string> varied_keys(const Plan& plan);

/// The case's value of a varied key as TOML; "-" where it does not vary it.
std::string varied_value(const Case& one, const std::string& key);

}  // namespace rankflow::sweep
