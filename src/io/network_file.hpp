#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "io/neuron_array.hpp"
#include "io/output_file.hpp"

namespace rankflow::io {

/// A network as it is written: this rank's share of every array, tiled. An empty span is left out, but
/// for m and n, which every network has.
template <class T>
struct NetworkArrays {
  parallel::Partition partition;
  std::int64_t rank = 0;             ///< R
  std::int64_t inputs = 0;           ///< I
  std::span<const T> m;              ///< [N, R]
  std::span<const T> n;              ///< [N, R]
  std::span<const T> input_weights;  ///< [N, I]
  std::span<const T> bias;           ///< [N]
  std::span<const T> tau;            ///< [N], s
};

/// Writes the group /network into a file: datasets m, n [neuron, rank], input_weights [neuron, input], bias,
/// tau [neuron], and its attributes (activation, tau, leak, decay …). Collective.
template <class T>
void write_network(File& file, const NetworkArrays<T>& arrays, const Attributes& attributes,
                   const std::string& group = "/network");

/// Writes a network file. Collective.
template <class T>
void write_network_file(const parallel::Communicator& comm, const std::filesystem::path& path,
                        const Provenance& provenance, const NetworkArrays<T>& arrays, const Attributes& attributes);

/// A network in a file of ours (or a run that holds one), opened for reading. All functions are collective.
class NetworkFile {
 public:
  /// Throws InputDataError when the group lacks m or n, or when shapes do not fit each other.
  static NetworkFile open(const parallel::Communicator& comm, const std::filesystem::path& path,
                          const std::string& group = "/network");

  std::int64_t neurons() const noexcept { return neurons_; }
  std::int64_t rank() const noexcept { return rank_; }
  std::int64_t inputs() const noexcept { return inputs_; }
  Attributes attributes() const { return file_.attributes(group_); }
  /// `array` as in "bias".
  bool has(const std::string& array) const { return file_.has_dataset(group_ + "/" + array); }
  /// Reads this rank's neurons, tiled. Throws InputDataError naming the first value that is not finite.
  template <class T>
  void read(const std::string& array, const parallel::Partition& partition, std::size_t columns,
            std::span<T> tiled) const;
  const File& file() const noexcept { return file_; }

 private:
  NetworkFile(File file, std::string group) : file_(std::move(file)), group_(std::move(group)) {}
  /// Checks that the dataset has axes [neuron, …]; returns the length of the second one.
  std::int64_t require(const std::string& array, std::size_t axes, const std::string& names) const;

  File file_;
  std::string group_;
  std::int64_t neurons_ = 0;
  std::int64_t rank_ = 0;
  std::int64_t inputs_ = 0;
};

}  // namespace rankflow::io
