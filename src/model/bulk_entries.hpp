#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "config/network_options.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::model {

/// The random numbers behind g chi: a pure function of the seed, the row (postsynaptic neuron) and the entry.
///
/// A row has K = in_degree entries; entry k points to a column chosen uniformly with replacement and is N(0, g^2 / K);
/// entries of the same column add up. K = 0: one entry per column, in order, N(0, g^2 / N).
/// With Dale's law neuron j is excitatory with probability f, and an entry is c |xi| s_j with xi normal, s_j = 1 for
/// an excitatory and -f / (1 - f) for an inhibitory j, so that E[s] = 0, and c = g sqrt((1 - f) / (f K)), so that
/// the expected sum of squares of a row is g^2.
class BulkEntries {
 public:
  /// Entries are drawn in batches of this many; a row's batches begin at multiples of it.
  static constexpr std::size_t batch_size = 2048;
  /// Entries with column 0 and weight 0 fill a batch up to a multiple of this.
  static constexpr std::size_t padding = 8;
  static_assert(batch_size % padding == 0);
  struct Batch {
    alignas(64) std::array<std::uint64_t, batch_size> columns;
    alignas(64) std::array<double, batch_size> weights;
  };

  BulkEntries(const config::BulkOptions& options, std::int64_t neurons, std::uint64_t seed);

  /// Entries of a row.
  std::int64_t row_entries() const noexcept { return all_to_all_ ? neurons_ : in_degree_; }
  /// Draws up to batch_size entries of `row` from entry `first` (a multiple of batch_size) on; returns how many.
  /// Weights are without s_j.
  std::size_t draw(std::int64_t row, std::int64_t first, Batch& batch) const;
  bool has_signs() const noexcept { return dale_; }
  /// s_j of the columns from `first` on; all 1 without Dale's law.
  void signs(std::int64_t first, std::span<double> out) const;

 private:
  std::int64_t neurons_;
  std::int64_t in_degree_;
  bool all_to_all_;
  bool dale_;
  double excitatory_fraction_;
  double scale_;
  parallel::Stream columns_;
  parallel::Stream weights_;
  parallel::Stream signs_;
};

}  // namespace rankflow::model
