#pragma once
#include <cstdint>

#include "config/options.hpp"

namespace rankflow::config {

/// [sweep.halving]: fits that do badly early are not trained to their end.
struct HalvingOptions {
  std::int64_t first = 1;      ///< epochs
  std::int64_t reduction = 3;  ///< one of so many goes on

  template <class V>
  void describe(V& v) {
    v.integer("first", first, {.doc = "epochs after which a case is judged for the first time", .minimum = 1});
    v.integer("reduction", reduction,
              {.doc = "the best of each so many cases go on, to so many times the epochs", .minimum = 2});
  }
};

}  // namespace rankflow::config
