#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ad/aligned.hpp"
#include "ad/tape.hpp"

namespace rankflow::nn {

/// Elements [begin, end) of the flat parameter vector.
struct ParameterRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const ParameterRange&, const ParameterRange&) = default;
};

/// Where each named parameter lies in the one flat vector that optimisers, gradient sums and checkpoints see:
/// one after the other in the order of add(), last index fastest.
class ParameterLayout {
 public:
  using Id = std::size_t;

  /// A parameter of `shape` (every extent >= 0; {} is one number). Throws InternalError for a name given twice.
  Id add(std::string name, std::vector<std::int64_t> shape, bool trainable = true);

  std::size_t parameters() const noexcept { return entries_.size(); }
  /// Length of the flat vector.
  std::int64_t total() const noexcept { return total_; }
  std::int64_t offset(Id id) const { return entries_.at(id).offset; }
  std::int64_t count(Id id) const { return entries_.at(id).count; }
  const std::string& name(Id id) const { return entries_.at(id).name; }
  const std::vector<std::int64_t>& shape(Id id) const { return entries_.at(id).shape; }
  bool is_trainable(Id id) const { return entries_.at(id).trainable; }
  /// Id of a name; throws InternalError when there is none.
  Id find(std::string_view name) const;
  /// "m[3,1]" for an element of the flat vector, for messages.
  std::string describe(std::int64_t flat_index) const;
  /// What an optimiser may change: ascending, neighbours joined.
  std::vector<ParameterRange> trainable_ranges() const;

  /// The part of a flat vector that holds parameter `id`.
  template <class T>
  std::span<T> part(std::span<T> flat, Id id) const {
    const auto& entry = entries_.at(id);
    return flat.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.count));
  }

 private:
  struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;
    std::int64_t count = 0;
    bool trainable = true;
  };
  std::vector<Entry> entries_;
  std::int64_t total_ = 0;
};

/// The parameters in the precision of the computation, with their adjoints; the flat vector of doubles stays with the
/// optimiser.
template <class T>
class ParameterBuffer {
 public:
  /// Zeros. The layout must not change afterwards and must outlive the buffer.
  explicit ParameterBuffer(const ParameterLayout& layout)
      : layout_(&layout),
        values_(static_cast<std::size_t>(layout.total()), T(0)),
        adjoints_(static_cast<std::size_t>(layout.total()), T(0)) {}

  /// Takes the numbers of the flat vector, rounded to T.
  void load(std::span<const double> flat) {
    std::transform(flat.begin(), flat.begin() + layout_->total(), values_.begin(),
                   [](double value) { return static_cast<T>(value); });
  }
  void zero_adjoints() { std::fill(adjoints_.begin(), adjoints_.end(), T(0)); }
  std::span<const T> values() const noexcept { return values_; }
  std::span<const T> adjoints() const noexcept { return adjoints_; }

  /// A parameter as an operand: columns are its last extent, rows the product of the others (1 for a vector). Fixed
  /// parameters have no adjoint.
  ad::Array<T> array(ParameterLayout::Id id) {
    const auto& shape = layout_->shape(id);
    const std::int64_t columns = shape.empty() ? 1 : shape.back();
    const auto offset = static_cast<std::size_t>(layout_->offset(id));
    T* const adjoint = layout_->is_trainable(id) ? adjoints_.data() + offset : nullptr;
    return {values_.data() + offset, adjoint, columns == 0 ? 0 : layout_->count(id) / columns, columns};
  }

 private:
  const ParameterLayout* layout_;
  ad::AlignedVector<T> values_;
  ad::AlignedVector<T> adjoints_;
};

}  // namespace rankflow::nn
