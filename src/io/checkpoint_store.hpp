#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/neuron_array.hpp"

namespace rankflow::io {

/// Puts the state of a run into a checkpoint. All functions are collective.
class CheckpointWriter {
 public:
  explicit CheckpointWriter(File& file) : file_(file) {}
  /// A distributed array, tiled, `columns` columns (trials); stored as [column, neuron] in full precision.
  template <class T>
  void neurons(const std::string& name, const parallel::Partition& partition, std::size_t columns,
               std::span<const T> tiled);
  /// A small array, as long on every rank; rank 0's numbers are stored. T: double or int64.
  template <class T>
  void values(const std::string& name, std::span<const T> numbers);
  void attribute(const std::string& name, const Attribute& value);
  /// Digests of the datasets by path, and of all attributes.
  Attributes digests() const;

 private:
  File& file_;
  Attributes attributes_;
  Attributes digests_;
};

/// Gives back what a CheckpointWriter stored, on any number of ranks. All functions are collective.
/// Throws InputDataError when a name is missing or a shape differs.
class CheckpointReader {
 public:
  explicit CheckpointReader(const File& file) : file_(file) {}
  template <class T>
  void neurons(const std::string& name, const parallel::Partition& partition, std::size_t columns,
               std::span<T> tiled) const;
  template <class T>
  std::vector<T> values(const std::string& name) const;
  Attribute attribute(const std::string& name) const;

 private:
  const File& file_;
};

/// The checkpoints of one output: files "<output>.checkpoint-<sequence>". Each is written under a temporary
/// name, brought to disk and renamed; the last two are kept. Every dataset carries checksums and a digest.
class CheckpointStore {
 public:
  struct Loaded {
    std::int64_t sequence = 0;
    std::vector<std::string> warnings;  ///< one per newer checkpoint that is damaged
  };

  /// `configuration_hash` identifies what the state belongs to; a checkpoint of another one is refused.
  CheckpointStore(std::filesystem::path output, const parallel::Communicator& comm, std::string configuration_hash)
      : output_(std::move(output)), comm_(comm), configuration_hash_(std::move(configuration_hash)) {}

  /// Sequence numbers of the checkpoints on disk, oldest first. Collective.
  std::vector<std::int64_t> sequences() const;
  /// `bytes`: expected size, for which room is asked first; 0: that of the checkpoint before.
  /// Collective. Throws InputOutputError; earlier checkpoints then stay as they are.
  void write(std::int64_t sequence, const std::function<void(CheckpointWriter&)>& writer, std::uint64_t bytes = 0);
  /// Verifies the newest checkpoint in full, then hands it to `reader`; takes the one before it when it is
  /// damaged. Throws InputDataError when there is none or none is sound, ConfigurationError when it
  /// belongs to another configuration. Collective.
  Loaded load_latest(const std::function<void(const CheckpointReader&)>& reader) const;
  /// Removes all checkpoints, and what an interrupted write() left. Collective.
  void remove_all();

  std::filesystem::path file_of(std::int64_t sequence) const;

 private:
  void remove_older_than_two() const;
  void remove_partial() const;

  std::filesystem::path output_;
  const parallel::Communicator& comm_;
  std::string configuration_hash_;
};

/// FNV-1a hash of a text as 16 hexadecimal digits: identifies a configuration.
std::string hash_of(const std::string& text);

}  // namespace rankflow::io
