#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sweep/conditions.hpp"
#include "sweep/description.hpp"

namespace rankflow::sweep {

/// The settings of a sweep in order: grid × zip × random draws, then the explicit cases, each after its conditional
/// keys, without those excluded.
struct Expansion {
  std::vector<Setting> settings;
  std::int64_t excluded = 0;
  std::vector<std::string> notes;  ///< of rules that change nothing
};

/// Throws ConfigurationError when no setting is left, a rule gives a key a second value, or the random search does not
/// find as many different draws as asked for.
Expansion expand(const Description& description, const CaseValues& values);

/// "network.rank = 2, network.neurons = 64"; "the base" when nothing varies.
std::string setting_text(const Setting& setting);

}  // namespace rankflow::sweep
