#pragma once
#include <cstdint>

#include "connectivity/loadings.hpp"
#include "connectivity/visited_states.hpp"

namespace rankflow::connectivity {

/// States at which features are evaluated: rows of z [count, R] and v [count, I].
struct StateRows {
  std::int64_t count = 0;
  const double* z = nullptr;
  const double* v = nullptr;
};
/// Rows [first, first + count) of the states.
StateRows rows_of(const VisitedStates& states, std::int64_t first, std::int64_t count);
StateRows rows_of(const VisitedStates& states);
/// Rows [first, first + count) of `rows`, for loadings of these shapes.
StateRows part_of(const StateRows& rows, std::int64_t first, std::int64_t count, const Loadings& loadings);

/// Features of one local tile: out[row][tile_size] = phi(m z(row) + b v(row), d), 0 past the last neuron of the
/// population. `out` is 64-byte aligned. Allocates nothing.
void tile_features(const Loadings& loadings, std::int64_t tile, const StateRows& rows, double* out);

}  // namespace rankflow::connectivity
