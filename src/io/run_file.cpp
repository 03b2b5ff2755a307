#include "io/run_file.hpp"

namespace rankflow::io {

RunFile RunFile::create(const parallel::Communicator& comm, const std::filesystem::path& path,
                        const Provenance& provenance, const RunLayout& layout, FileType type) {
  std::uint64_t bytes = 0;
  for (const auto& spec : layout.datasets) bytes += count_of(spec.shape) * size_of(spec.type);
  auto output = OutputFile::create(comm, path, type, provenance, bytes);
  auto& file = output.file();
  for (const auto& coordinate : layout.coordinates)
    file.create_coordinate(coordinate.path, coordinate.values, coordinate.units, coordinate.long_name);
  for (const auto& spec : layout.datasets) file.create_dataset(spec);
  for (const auto& [object, values] : layout.attributes) {
    if (!file.has_dataset(object)) file.create_group(object);
    file.set_attributes(object, values);
  }
  output.publish();
  return RunFile(std::move(output));
}

RunFile RunFile::resume(const parallel::Communicator& comm, const std::filesystem::path& path, FileType type) {
  return RunFile(OutputFile::reopen(comm, path, type));
}

std::string RunFile::configuration() const {
  const auto value = file().attribute("/provenance", "configuration");
  if (!value || !std::holds_alternative<std::string>(*value))
    throw InputDataError("'{}' lacks the attribute 'configuration' of /provenance", file().name());
  return std::get<std::string>(*value);
}

}  // namespace rankflow::io
