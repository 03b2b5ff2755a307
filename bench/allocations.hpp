#pragma once
#include <cstdint>

namespace rankflow::bench {

/// Calls of operator new by this program so far.
std::int64_t allocations() noexcept;

}  // namespace rankflow::bench
