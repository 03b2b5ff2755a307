#pragma once
#include <cstdint>
#include <type_traits>

namespace rankflow::smc {

/// action(R) with R = rank at compile time, where loops over latents are then written out, or 0 for larger ranks.
template <class Action>
void with_rank(std::int64_t rank, const Action& action) {
  switch (rank) {
    case 1:
      return action(std::integral_constant<int, 1>{});
    case 2:
      return action(std::integral_constant<int, 2>{});
    case 3:
      return action(std::integral_constant<int, 3>{});
    case 4:
      return action(std::integral_constant<int, 4>{});
    default:
      return action(std::integral_constant<int, 0>{});
  }
}

}  // namespace rankflow::smc
