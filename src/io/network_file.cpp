#include "io/network_file.hpp"

#include "io/file_kind.hpp"
#include "io/finite.hpp"

namespace rankflow::io {
namespace {

template <class T>
void write_array(File& file, const std::string& path, const NetworkArrays<T>& arrays, std::span<const T> values,
                 std::int64_t columns, const std::vector<std::string>& dimensions, const std::string& units,
                 const std::string& long_name) {
  Shape shape{static_cast<std::uint64_t>(arrays.partition.global_count())};
  if (dimensions.size() == 2) shape.push_back(static_cast<std::uint64_t>(columns));
  file.create_dataset({.path = path,
                       .shape = shape,
                       .dimensions = dimensions,
                       .type = type_in_file<T>,
                       .units = units,
                       .long_name = long_name,
                       .fill = false});
  const auto placement = dimensions.size() == 2 ? Placement::rows() : Placement::vector();
  write_neurons(file, path, arrays.partition, static_cast<std::size_t>(columns), values, placement);
}

/// Says what a file without a network is, and what is needed.
void require_network(const File& file, const std::string& group) {
  if (file.has_group(group)) return;
  if (file_type_of(file) == name_of(FileType::flow))
    throw InputDataError(
        "'{0}' is a flow file: a distribution of networks, not one of them; draw one with 'rankflow sample {0} -o "
        "network.h5' and name that file",
        file.name());
  throw InputDataError(
      "'{}' is {} without the group {}; needed is a file with it: a network file (rankflow generate network, rankflow "
      "sample), a run (rankflow simulate with output.network = true) or a fit (rankflow fit vsmc)",
      file.name(), kind_of_file(file), group);
}

}  // namespace

template <class T>
void write_network(File& file, const NetworkArrays<T>& arrays, const Attributes& attributes, const std::string& group) {
  file.create_group(group);
  file.set_attributes(group, attributes);
  const std::vector<std::string> by_rank{"neuron", "rank"};
  write_array(file, group + "/m", arrays, arrays.m, arrays.rank, by_rank, "1", "left connectivity vectors");
  write_array(file, group + "/n", arrays, arrays.n, arrays.rank, by_rank, "1", "right connectivity vectors");
  if (arrays.inputs > 0)
    write_array(file, group + "/input_weights", arrays, arrays.input_weights, arrays.inputs, {"neuron", "input"}, "1",
                "input weights");
  // A rank without neurons has empty spans of arrays that exist: the ranks must decide alike.
  const auto exists = [&](std::span<const T> values) { return file.comm().any(!values.empty()); };
  if (exists(arrays.bias)) write_array(file, group + "/bias", arrays, arrays.bias, 1, {"neuron"}, "1", "bias");
  if (exists(arrays.tau)) write_array(file, group + "/tau", arrays, arrays.tau, 1, {"neuron"}, "s", "time constant");
}

template <class T>
void write_network_file(const parallel::Communicator& comm, const std::filesystem::path& path,
                        const Provenance& provenance, const NetworkArrays<T>& arrays, const Attributes& attributes) {
  const auto values = arrays.partition.global_count() * (2 * arrays.rank + arrays.inputs);
  auto output =
      OutputFile::create(comm, path, FileType::network, provenance, static_cast<std::uint64_t>(values) * sizeof(T));
  write_network(output.file(), arrays, attributes);
  output.finish();
}

std::int64_t NetworkFile::require(const std::string& array, std::size_t axes, const std::string& names) const {
  const auto info = file_.info(group_ + "/" + array);
  if (info.shape.size() != axes)
    throw InputDataError("dataset '{}' in file '{}' has {} dimension(s) {}, expected {}: {}", info.path, file_.name(),
                         info.shape.size(), text_of(info.shape), axes, names);
  if (neurons_ != 0 && info.shape[0] != static_cast<std::uint64_t>(neurons_))
    throw InputDataError("dataset '{}' in file '{}' has {} neurons, 'm' has {}", info.path, file_.name(), info.shape[0],
                         neurons_);
  return axes == 2 ? static_cast<std::int64_t>(info.shape[1]) : 1;
}

NetworkFile NetworkFile::open(const parallel::Communicator& comm, const std::filesystem::path& path,
                              const std::string& group) {
  NetworkFile network(File::open(comm, path), group);
  require_readable_format(network.file_);
  require_network(network.file_, group);
  network.rank_ = network.require("m", 2, "[neuron, rank]");
  network.neurons_ = static_cast<std::int64_t>(network.file_.info(group + "/m").shape[0]);
  if (network.neurons_ == 0 || network.rank_ == 0)
    throw InputDataError("dataset '{}/m' in file '{}' has shape [{}, {}]; a network has at least one neuron and rank 1",
                         group, network.file_.name(), network.neurons_, network.rank_);
  const auto rank_of_n = network.require("n", 2, "[neuron, rank]");
  if (rank_of_n != network.rank_)
    throw InputDataError("file '{}': '{}/m' has rank {}, '{}/n' has rank {}; they must agree", network.file_.name(),
                         group, network.rank_, group, rank_of_n);
  if (network.has("input_weights")) network.inputs_ = network.require("input_weights", 2, "[neuron, input]");
  if (network.has("bias")) network.require("bias", 1, "[neuron]");
  if (network.has("tau")) network.require("tau", 1, "[neuron]");
  return network;
}

template <class T>
void NetworkFile::read(const std::string& array, const parallel::Partition& partition, std::size_t columns,
                       std::span<T> tiled) const {
  const auto path = group_ + "/" + array;
  read_neurons(file_, path, partition, columns, tiled);
  require_finite<T>(file_.comm(), partition, columns, tiled,
                    fmt::format("dataset '{}' in file '{}'", path, file_.name()));
}

#define RANKFLOW_INSTANTIATE(T)                                                                                       \
  template void write_network<T>(File&, const NetworkArrays<T>&, const Attributes&, const std::string&);              \
  template void write_network_file<T>(const parallel::Communicator&, const std::filesystem::path&, const Provenance&, \
                                      const NetworkArrays<T>&, const Attributes&);                                    \
  template void NetworkFile::read<T>(const std::string&, const parallel::Partition&, std::size_t, std::span<T>) const;
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE

}  // namespace rankflow::io
