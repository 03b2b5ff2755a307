#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankflow::parallel {

/// Exact accumulation of doubles in a wide fixed-point integer (Kulisch): the sum has one value,
/// whatever the order in which numbers are added and whatever the rank they come from.
/// Limbs of 32 bits held in 64-bit words (carry-save), so that adding two accumulators is adding
/// words: one integer all-reduce adds the accumulators of all ranks.
/// Non-finite summands are counted apart and make the sum non-finite as IEEE addition would.
class ExactAccumulator {
 public:
  static constexpr int limb_count = 68;
  static constexpr int word_count = limb_count + 3;  ///< plus counts of NaN, +inf, −inf

  /// Adds one number exactly. Carries are resolved after 2^29 additions at the latest.
  void add(double value);
  /// The exact sum rounded once to the nearest double.
  double value() const;
  void clear() {
    words_.fill(0);
    additions_ = 0;
  }
  /// Brings every limb below 2^32 in magnitude, all of the sign of the whole number: words of many ranks can be added,
  /// and those outside the number's own bits are 0.
  void settle();
  /// True when a summand was not finite.
  bool has_non_finite() const noexcept {
    return words_[limb_count] + words_[limb_count + 1] + words_[limb_count + 2] > 0;
  }
  std::span<std::int64_t, word_count> words() noexcept { return words_; }

 private:
  void resolve_carries();

  std::array<std::int64_t, word_count> words_{};
  std::int64_t additions_ = 0;
};

/// `count` sums over all neurons (or samples) that are bitwise the same at any rank count.
/// Each rank adds the partial sums of its whole tiles; reduce() sends O(count) words in one message. Long messages
/// are cut to the limbs that some rank uses, which a short message finds out first. No allocation after construction.
class ReproducibleSum {
 public:
  explicit ReproducibleSum(std::size_t count) : accumulators_(count), message_(count * ExactAccumulator::word_count) {}

  std::size_t count() const noexcept { return accumulators_.size(); }
  void clear();
  void add(std::size_t index, double tile_sum) { accumulators_[index].add(tile_sum); }
  /// Sums over the ranks of `comm` into `sums` (length count()) and clears. Collective.
  void reduce(const Communicator& comm, std::span<double> sums);

 private:
  /// Words [begin, end) of each accumulator that travel.
  struct Window {
    std::size_t begin = 0;
    std::size_t end = ExactAccumulator::word_count;
  };
  Window used_words(const Communicator& comm);
  void add_ranks(const Communicator& comm);

  std::vector<ExactAccumulator> accumulators_;
  std::vector<std::int64_t> message_;
};

}  // namespace rankflow::parallel
