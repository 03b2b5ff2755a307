#pragma once
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "io/hdf5_file.hpp"
#include "parallel/partition.hpp"

namespace rankflow::io {

/// Share of one value in a digest: mixes its bits with its position (finaliser of splitmix64, Steele,
/// Lea, Flood 2014).
template <class T>
std::uint64_t digest_term(std::uint64_t position, T value) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  std::uint64_t word = position * 0x9E3779B97F4A7C15ULL + std::bit_cast<Bits>(value);
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9ULL;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBULL;
  return word ^ (word >> 31);
}

/// Reads every value of a dataset (float32, float64 or int64) once, shared among the ranks, so that its
/// checksums are verified, and sums the digest terms over its positions in C order: one number at any
/// rank count. It sees what Fletcher-32 cannot (words of zeros against words of ones). Collective.
/// Throws InputDataError when a chunk's checksum is wrong.
std::uint64_t content_digest(const File& file, const std::string& path);

/// The digest of a dataset [column, neuron] from the tiled array it is written from. Collective.
template <class T>
std::uint64_t content_digest(const parallel::Communicator& comm, const parallel::Partition& partition,
                             std::size_t columns, std::span<const T> tiled);

/// The digest of a 1-D dataset from the values, which every rank holds.
template <class T>
std::uint64_t content_digest(std::span<const T> values) {
  std::uint64_t digest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) digest += digest_term(i, values[i]);
  return digest;
}

}  // namespace rankflow::io
