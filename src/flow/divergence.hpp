#pragma once
#include <cstdint>
#include <span>

#include "flow/flow.hpp"
#include "flow/tangent_pass.hpp"

namespace rankflow::flow {

/// Velocity and its divergence on a block of rows, in standardised coordinates.
class Divergence {
 public:
  /// probes = 0: exact, by one direction per variable; otherwise the mean over `probes` directions of random signs of
  /// signs . J signs (Hutchinson 1989), unbiased, with a variance of 2 / probes times the squared off-diagonal elements
  /// of the symmetric part of J.
  Divergence(const Flow& flow, std::int64_t rows, std::int64_t probes);

  /// Conditions [count, C], as they stand in data, of the block's first rows.
  void set_conditions(std::span<const double> conditions);
  /// Signs of the block's rows, those of items first, first + 1, …
  void draw_probes(std::uint64_t seed, std::int64_t first);
  /// At x [count, V]: velocities [count, V] and divergences [count]; count <= rows.
  void evaluate(double t, std::span<const double> x, std::span<double> velocities, std::span<double> divergences);

 private:
  const Flow& flow_;
  std::int64_t rows_, probes_, variables_;
  PackedWeights<double> weights_;
  TangentPass pass_;
};

}  // namespace rankflow::flow
