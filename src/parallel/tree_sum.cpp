#include "parallel/tree_sum.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace rankflow::parallel {
namespace {

template <class T>
void accumulate(T* left, const T* right, std::size_t length) {
  for (std::size_t k = 0; k < length; ++k) left[k] += right[k];
}

/// First element of slice `slice` of `length` elements cut in `slices`.
std::int64_t slice_begin(std::int64_t length, std::int64_t slices, std::int64_t slice) {
  return length / slices * slice + std::min(length % slices, slice);
}

}  // namespace

template <class T>
BasicTreeSum<T>::BasicTreeSum(std::int64_t leaves, std::int64_t length) : leaves_(leaves), length_(length) {
  if (leaves < 1 || length < 0) throw InternalError("a tree sum of {} leaves of {} numbers", leaves, length);
  while ((std::int64_t{1} << root_level_) < leaves) ++root_level_;
  const auto depth = 2 * static_cast<std::size_t>(root_level_) + 2;
  nodes_.reserve(depth);
  slices_.reserve(depth);
  partial_.reserve(depth);
}

template <class T>
void BasicTreeSum<T>::start(std::int64_t first_leaf, std::int64_t end_leaf) {
  if (first_leaf < 0 || first_leaf > end_leaf || end_leaf > leaves_)
    throw InternalError("leaves {} to {} of a tree sum of {}", first_leaf, end_leaf, leaves_);
  next_ = first_leaf;
  end_ = end_leaf;
  nodes_.clear();
}

/// No leaf lies below the right sibling: the parent has this child only.
template <class T>
bool BasicTreeSum<T>::is_promoted(const Node& node) const {
  return node.level < root_level_ && node.index % 2 == 0 && ((node.index + 1) << node.level) >= leaves_;
}

/// Joins the last nodes of the stack while they are siblings; merge() adds the last one's sum to the one before it.
template <class T>
template <class Merge>
void BasicTreeSum<T>::settle(const Merge& merge) {
  while (true) {
    auto& last = nodes_.back();
    const Node sibling{last.level, last.index - 1};
    if (is_promoted(last)) {
      last = {last.level + 1, last.index / 2};
    } else if (last.index % 2 == 1 && nodes_.size() > 1 && nodes_[nodes_.size() - 2] == sibling) {
      merge();
      nodes_.pop_back();
      nodes_.back() = {sibling.level + 1, sibling.index / 2};
    } else {
      return;
    }
  }
}

template <class T>
std::span<T> BasicTreeSum<T>::next_leaf() {
  if (next_ >= end_) throw InternalError("leaf {} in a tree sum whose rank ends at leaf {}", next_, end_);
  if (nodes_.size() == partial_.size()) partial_.emplace_back(static_cast<std::size_t>(length_));
  return partial_[nodes_.size()];
}

template <class T>
void BasicTreeSum<T>::add_written() {
  nodes_.push_back({0, next_++});
  settle([&] {
    const auto last = nodes_.size() - 1;
    accumulate(partial_[last - 1].data(), partial_[last].data(), static_cast<std::size_t>(length_));
  });
}

template <class T>
template <class Term>
void BasicTreeSum<T>::add_leaf(std::span<const Term> leaf) {
  if (std::cmp_not_equal(leaf.size(), length_))
    throw InternalError("leaf {} of {} numbers in a tree sum of {}", next_, leaf.size(), length_);
  std::ranges::transform(leaf, next_leaf().begin(), [](Term value) { return static_cast<T>(value); });
  add_written();
}

template <class T>
void BasicTreeSum<T>::add(std::span<const double> leaf) {
  add_leaf(leaf);
}
template <class T>
void BasicTreeSum<T>::add(std::span<const float> leaf) {
  add_leaf(leaf);
}

template <class T>
std::int64_t BasicTreeSum<T>::end_of(const Node& node) const {
  return std::min((node.index + 1) << node.level, leaves_);
}

/// The largest node that begins at leaf `first` and has no leaf from `end` on.
template <class T>
typename BasicTreeSum<T>::Node BasicTreeSum<T>::largest_subtree(std::int64_t first, std::int64_t end) const {
  Node node{0, first};
  while (node.level < root_level_ && node.index % 2 == 0 && end_of({node.level + 1, node.index / 2}) <= end)
    node = {node.level + 1, node.index / 2};
  return node;
}

/// How many subtrees the leaves [first, end) settle into.
template <class T>
std::int64_t BasicTreeSum<T>::subtrees(std::int64_t first, std::int64_t end) const {
  std::int64_t count = 0;
  for (; first < end; ++count) first = end_of(largest_subtree(first, end));
  return count;
}

template <class T>
void BasicTreeSum<T>::check_bounds(const Communicator& comm, std::span<const std::int64_t> bounds) const {
  const auto ranks = static_cast<std::size_t>(comm.size());
  if (bounds.size() != ranks + 1 || bounds.front() != 0 || bounds.back() != leaves_ || !std::ranges::is_sorted(bounds))
    throw InternalError("{} bounds of leaves for {} ranks do not rise from 0 to {}", bounds.size(), ranks, leaves_);
  const auto mine = static_cast<std::size_t>(comm.rank());
  if (next_ != end_ || end_ != bounds[mine + 1] ||
      std::cmp_not_equal(nodes_.size(), subtrees(bounds[mine], bounds[mine + 1])))
    throw InternalError("rank {} added leaves up to {} of a tree sum where it holds {} to {}", mine, next_,
                        bounds[mine], bounds[mine + 1]);
}

/// Rank s gets slice s of every subtree of every rank.
template <class T>
void BasicTreeSum<T>::send_slices(const Communicator& comm, std::span<const std::int64_t> bounds) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  send_counts_.resize(ranks);
  receive_counts_.resize(ranks);
  slice_lengths_.resize(ranks);
  send_.resize(nodes_.size() * static_cast<std::size_t>(length_));
  auto out = send_.begin();
  for (std::size_t s = 0; s < ranks; ++s) {
    const auto begin = slice_begin(length_, comm.size(), static_cast<std::int64_t>(s));
    slice_lengths_[s] = slice_begin(length_, comm.size(), static_cast<std::int64_t>(s) + 1) - begin;
    send_counts_[s] = std::ssize(nodes_) * slice_lengths_[s];
    for (std::size_t k = 0; k < nodes_.size(); ++k)
      out = std::copy_n(partial_[k].begin() + begin, slice_lengths_[s], out);
  }
  std::int64_t total = 0;
  for (std::size_t r = 0; r < ranks; ++r) {
    receive_counts_[r] = subtrees(bounds[r], bounds[r + 1]) * slice_lengths_[static_cast<std::size_t>(comm.rank())];
    total += receive_counts_[r];
  }
  receive_.resize(static_cast<std::size_t>(total));
  comm.all_to_all(std::span<const T>(send_), send_counts_, receive_, receive_counts_);
}

/// Completes the tree on this rank's slice, in place: each sum is formed where its left child lies.
template <class T>
std::span<const T> BasicTreeSum<T>::complete_slice(const Communicator& comm, std::span<const std::int64_t> bounds) {
  const auto length = static_cast<std::size_t>(slice_lengths_[static_cast<std::size_t>(comm.rank())]);
  T* data = receive_.data();
  nodes_.clear();
  slices_.clear();
  for (std::size_t r = 0; r + 1 < bounds.size(); ++r)
    for (auto first = bounds[r]; first < bounds[r + 1]; first = end_of(nodes_.back())) {
      nodes_.push_back(largest_subtree(first, bounds[r + 1]));
      slices_.push_back(std::exchange(data, data + length));
      settle([&] {
        accumulate(slices_[slices_.size() - 2], slices_.back(), length);
        slices_.pop_back();
      });
    }
  return {slices_.front(), length};
}

template <class T>
std::span<const T> BasicTreeSum<T>::finish(const Communicator& comm, std::span<const std::int64_t> bounds) {
  if (comm.size() > 1) {
    result_.resize(static_cast<std::size_t>(length_));
    finish(comm, bounds, result_);
    return result_;
  }
  check_bounds(comm, bounds);
  end_sum();
  return partial_.front();
}

template <class T>
void BasicTreeSum<T>::finish(const Communicator& comm, std::span<const std::int64_t> bounds, std::span<T> result) {
  check_bounds(comm, bounds);
  if (std::cmp_not_equal(result.size(), length_))
    throw InternalError("a tree sum of {} numbers for a result of {}", length_, result.size());
  if (comm.size() == 1) {
    std::ranges::copy(partial_.front(), result.begin());
  } else {
    send_slices(comm, bounds);
    const auto slice = complete_slice(comm, bounds);
    comm.all_gather(slice, result, slice_lengths_);
  }
  end_sum();
}

template class BasicTreeSum<double>;
template class BasicTreeSum<float>;

}  // namespace rankflow::parallel
