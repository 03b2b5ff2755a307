#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankflow::parallel {

/// Sums of vectors over globally numbered leaves (trials, samples), bitwise equal at any rank count: additions follow
/// one binary tree, node(level, i) = node(level-1, 2i) + node(level-1, 2i+1), without the right child where no leaf is
/// below it. Each rank holds contiguous leaves; it forms the largest subtrees that are wholly its own, O(log leaves)
/// of them, and sends slices of these to the ranks that complete the tree. No allocation once all buffers were used.
/// Sums are formed and sent in T, double or float.
template <class T>
class BasicTreeSum {
 public:
  /// Sums of `leaves` >= 1 vectors of `length` numbers.
  BasicTreeSum(std::int64_t leaves, std::int64_t length);

  /// Begins a sum in which this rank adds the leaves [first_leaf, end_leaf).
  void start(std::int64_t first_leaf, std::int64_t end_leaf);
  /// Adds this rank's next leaf, in ascending order. Throws InternalError beyond end_leaf or for another length.
  void add(std::span<const double> leaf);
  void add(std::span<const float> leaf);
  /// The same without a copy: where the next leaf is to be written, whole, before add_written().
  std::span<T> next_leaf();
  void add_written();
  /// The sum over all leaves, on every rank. `bounds` [ranks + 1]: leaves [bounds[r], bounds[r + 1]) were those of rank
  /// r; a rank may hold none. Collective.
  void finish(const Communicator& comm, std::span<const std::int64_t> bounds, std::span<T> result);

  /// The same without a copy where there is one rank; valid until the next start().
  std::span<const T> finish(const Communicator& comm, std::span<const std::int64_t> bounds);

  std::int64_t leaves() const noexcept { return leaves_; }
  std::int64_t length() const noexcept { return length_; }

 private:
  struct Node {
    int level = 0;
    std::int64_t index = 0;
    friend bool operator==(const Node&, const Node&) = default;
  };

  template <class Term>
  void add_leaf(std::span<const Term> leaf);
  void end_sum() {
    nodes_.clear();
    next_ = end_ = 0;
  }
  bool is_promoted(const Node& node) const;
  Node largest_subtree(std::int64_t first, std::int64_t end) const;
  std::int64_t end_of(const Node& node) const;
  std::int64_t subtrees(std::int64_t first, std::int64_t end) const;
  template <class Merge>
  void settle(const Merge& merge);
  void check_bounds(const Communicator& comm, std::span<const std::int64_t> bounds) const;
  void send_slices(const Communicator& comm, std::span<const std::int64_t> bounds);
  std::span<const T> complete_slice(const Communicator& comm, std::span<const std::int64_t> bounds);

  std::int64_t leaves_;
  std::int64_t length_;
  int root_level_ = 0;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  std::vector<Node> nodes_;              // the stack: disjoint subtrees, left to right
  std::vector<std::vector<T>> partial_;  // their sums; may be longer than nodes_
  std::vector<T*> slices_;               // beside nodes_ while the tree is completed
  std::vector<T> send_, receive_, result_;
  std::vector<std::int64_t> send_counts_, receive_counts_, slice_lengths_;
};

using TreeSum = BasicTreeSum<double>;

}  // namespace rankflow::parallel
