#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include "parallel/partition.hpp"

namespace rankflow::model {

/// `columns` values for each neuron of this rank, in tiles: [tile][column][tile_size]. Inside a tile each
/// column is contiguous and 64-byte aligned; what lies past the last neuron is zero, so kernels run over
/// whole SIMD registers without tails. Move only.
template <class T>
class NeuronArray {
 public:
  NeuronArray() = default;
  NeuronArray(const parallel::Partition& partition, int columns)
      : columns_(columns),
        size_(static_cast<std::size_t>(partition.padded_count()) * static_cast<std::size_t>(columns)) {
    if (size_ == 0) return;
    void* memory = std::aligned_alloc(alignment, (size_ * sizeof(T) + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    data_.reset(static_cast<T*>(memory));
    std::fill_n(data_.get(), size_, T{0});
  }

  int columns() const noexcept { return columns_; }
  /// Number of values, padding included.
  std::size_t size() const noexcept { return size_; }
  std::span<T> values() noexcept { return {data_.get(), size_}; }
  std::span<const T> values() const noexcept { return {data_.get(), size_}; }
  /// tile_size values of one column of local tile `tile`.
  T* tile(std::int64_t tile, int column) noexcept { return data_.get() + offset(tile, column); }
  const T* tile(std::int64_t tile, int column) const noexcept { return data_.get() + offset(tile, column); }
  /// Value of the rank's neuron `local` (0-based on this rank).
  T& at(std::int64_t local, int column) noexcept {
    return tile(local / parallel::tile_size, column)[local % parallel::tile_size];
  }
  const T& at(std::int64_t local, int column) const noexcept {
    return tile(local / parallel::tile_size, column)[local % parallel::tile_size];
  }

 private:
  static constexpr std::size_t alignment = 64;
  struct Free {
    void operator()(T* memory) const noexcept { std::free(memory); }
  };
  std::size_t offset(std::int64_t tile, int column) const noexcept {
    return (static_cast<std::size_t>(tile) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column)) *
           static_cast<std::size_t>(parallel::tile_size);
  }

  int columns_ = 0;
  std::size_t size_ = 0;
  std::unique_ptr<T[], Free> data_;
};

}  // namespace rankflow::model
