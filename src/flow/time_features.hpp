#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>

namespace rankflow::flow {

/// Writes t, then cos(pi k t) and sin(pi k t) for k = 1 … frequencies.
template <class T>
void write_time(double t, std::int64_t frequencies, T* place) {
  *place++ = static_cast<T>(t);
  for (std::int64_t k = 1; k <= frequencies; ++k) {
    const double angle = std::numbers::pi * static_cast<double>(k) * t;
    *place++ = static_cast<T>(std::cos(angle));
    *place++ = static_cast<T>(std::sin(angle));
  }
}

}  // namespace rankflow::flow
