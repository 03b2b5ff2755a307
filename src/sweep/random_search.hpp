#pragma once
#include <cstdint>

#include "sweep/description.hpp"

namespace rankflow::sweep {

/// Draw number `draw` of a search. Depends on the seed, the number and each key's name only: more draws keep the first
/// ones, another key leaves the values of the others. Reals are rounded to six significant digits.
Setting random_setting(const RandomSearch& search, std::uint32_t draw);

}  // namespace rankflow::sweep
