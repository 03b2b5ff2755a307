#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/neuron_array.hpp"
#include "io/output_file.hpp"

namespace rankflow::io {

/// A dimension with coordinates, as in /trajectory/time.
struct CoordinateSpec {
  std::string path;
  std::vector<double> values;
  std::string units;
  std::string long_name;
};

/// Everything a run will write. Attributes are keyed by the path of their group or dataset.
struct RunLayout {
  std::vector<CoordinateSpec> coordinates;
  std::vector<DatasetSpec> datasets;
  std::map<std::string, Attributes> attributes;
};

/// The results of a run (file type "run", or another one with the same life). All datasets are made at
/// the start; afterwards only values are written, so that a kill leaves a file that opens with the rows
/// written so far. All functions are collective.
class RunFile {
 public:
  /// Makes the file and publishes it. An earlier file of this name stays whole until then.
  static RunFile create(const parallel::Communicator& comm, const std::filesystem::path& path,
                        const Provenance& provenance, const RunLayout& layout, FileType type = FileType::run);
  /// Goes on with a file that create() made. Throws InputDataError when it is no run.
  static RunFile resume(const parallel::Communicator& comm, const std::filesystem::path& path,
                        FileType type = FileType::run);

  File& file() noexcept { return output_.file(); }
  const File& file() const noexcept { return output_.file(); }
  /// The resolved configuration the file was made with.
  std::string configuration() const;

  /// See File::write_rows.
  template <class T>
  void write_rows(const std::string& path, const Shape& offset, const Shape& extent, std::span<const T> values) {
    file().write_rows(path, offset, extent, values);
  }
  /// See io::write_neurons.
  template <class T>
  void write_neurons(const std::string& path, const parallel::Partition& partition, std::size_t columns,
                     std::span<const T> tiled, const Placement& placement = Placement::rows()) {
    io::write_neurons(file(), path, partition, columns, tiled, placement);
  }
  void flush() { output_.file().flush(); }
  /// Records the status and closes.
  void finish(Status status = Status::complete) { output_.finish(status); }
  /// See OutputFile::fail.
  bool fail(const std::string& message) { return output_.fail(message); }

 private:
  explicit RunFile(OutputFile output) : output_(std::move(output)) {}
  OutputFile output_;
};

}  // namespace rankflow::io
