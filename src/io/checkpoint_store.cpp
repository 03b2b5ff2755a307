#include "io/checkpoint_store.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "io/agreement.hpp"
#include "io/content_digest.hpp"
#include "io/file_system.hpp"
#include "io/provenance.hpp"

namespace rankflow::io {
namespace {

const std::string state_group = "/state";
const std::string digest_group = "/digests";
const std::string attributes_part = "attributes";

std::string path_of(const std::string& name) {
  return state_group + "/" + name;
}

std::string fingerprint(const Attribute& value) {
  return std::visit([](const auto& held) { return fmt::format("{}", held); }, value);
}

/// Checksums cover datasets only; this covers the attributes.
std::string digest_of(const Attributes& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) text += fmt::format("{}={};", name, fingerprint(value));
  return hash_of(text);
}

std::string text_attribute(const File& file, const std::string& object, const std::string& name) {
  const auto value = file.attribute(object, name);
  return value && std::holds_alternative<std::string>(*value) ? std::get<std::string>(*value) : "";
}

/// Throws InputDataError when anything in the checkpoint is not as it was written.
void require_sound(const File& file) {
  require_file_type(file, FileType::checkpoint);
  if (text_attribute(file, "/", "complete") != "yes")
    throw InputDataError("'{}' was not written to its end", file.name());
  const auto expected = file.attributes(digest_group);
  const auto require = [&](const std::string& part, const Attribute& found) {
    const auto written = expected.find(part);
    if (written == expected.end() || written->second != found)
      throw InputDataError("{} of '{}' are damaged: their digest differs from the one written", part, file.name());
  };
  require(attributes_part, digest_of(file.attributes(state_group)));
  const auto datasets = file.datasets(state_group);
  if (datasets.size() + 1 != expected.size())
    throw InputDataError("'{}' lacks datasets that were written", file.name());
  for (const auto& path : datasets) require(path, content_digest(file, path));
}

std::vector<std::int64_t> sequences_in(const std::filesystem::path& output) {
  const auto prefix = output.filename().string() + ".checkpoint-";
  const auto folder = output.parent_path().empty() ? std::filesystem::path(".") : output.parent_path();
  std::vector<std::int64_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::int64_t sequence = 0;
    const auto* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, sequence);
    if (error == std::errc() && stop == end) found.push_back(sequence);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

template <class T>
void CheckpointWriter::neurons(const std::string& name, const parallel::Partition& partition, std::size_t columns,
                               std::span<const T> tiled) {
  file_.create_dataset({.path = path_of(name),
                        .shape = {columns, static_cast<std::uint64_t>(partition.global_count())},
                        .dimensions = {},
                        .type = type_in_file<T>,
                        .checksum = true});
  write_neurons(file_, path_of(name), partition, columns, tiled, Placement::columns());
  digests_[path_of(name)] = content_digest(file_.comm(), partition, columns, tiled);
}

template <class T>
void CheckpointWriter::values(const std::string& name, std::span<const T> numbers) {
  // Every rank writes a part: one that differs, if only by a reading of its clock, would not fit the digest.
  std::vector<T> same(numbers.begin(), numbers.end());
  file_.comm().broadcast(std::span(same));
  file_.create_dataset(
      {.path = path_of(name), .shape = {same.size()}, .dimensions = {}, .type = type_in_file<T>, .checksum = true});
  file_.write_all(path_of(name), std::span<const T>(same));
  digests_[path_of(name)] = content_digest(std::span<const T>(same));
}

void CheckpointWriter::attribute(const std::string& name, const Attribute& value) {
  file_.set_attribute(state_group, name, value);
  attributes_[name] = value;
}

Attributes CheckpointWriter::digests() const {
  auto all = digests_;
  all[attributes_part] = digest_of(attributes_);
  return all;
}

template <class T>
void CheckpointReader::neurons(const std::string& name, const parallel::Partition& partition, std::size_t columns,
                               std::span<T> tiled) const {
  read_neurons(file_, path_of(name), partition, columns, tiled, Placement::columns());
}

template <class T>
std::vector<T> CheckpointReader::values(const std::string& name) const {
  return file_.read_all<T>(path_of(name));
}

Attribute CheckpointReader::attribute(const std::string& name) const {
  const auto value = file_.attribute(state_group, name);
  if (!value) throw InputDataError("checkpoint '{}' lacks the attribute '{}'", file_.name(), name);
  return *value;
}

std::filesystem::path CheckpointStore::file_of(std::int64_t sequence) const {
  auto path = output_;
  path += fmt::format(".checkpoint-{}", sequence);
  return path;
}

std::vector<std::int64_t> CheckpointStore::sequences() const {
  // Rank 0 looks: a network file system may show others an older folder.
  auto found = comm_.is_root() ? sequences_in(output_) : std::vector<std::int64_t>();
  const auto counts = comm_.all_gather(static_cast<std::int64_t>(found.size()));
  found.resize(static_cast<std::size_t>(counts[0]));
  comm_.broadcast(std::span(found));
  return found;
}

void CheckpointStore::write(std::int64_t sequence, const std::function<void(CheckpointWriter&)>& writer,
                            std::uint64_t bytes) {
  const auto target = file_of(sequence);
  const auto partial = temporary_name(target);
  on_root(comm_, [&] {
    require_possible_target(target);
    const auto known = sequences_in(output_);
    if (bytes == 0 && !known.empty()) bytes = std::filesystem::file_size(file_of(known.back()));
    require_space(partial, bytes);
  });
  auto file = File::create(comm_, partial);
  file.set_attribute("/", "file_type", name_of(FileType::checkpoint));
  file.set_attribute("/", "format_version", format_version);
  file.set_attribute("/", "configuration_hash", configuration_hash_);
  file.set_attribute("/", "sequence", sequence);
  file.create_group(state_group);
  CheckpointWriter state(file);
  writer(state);
  file.create_group(digest_group);
  file.set_attributes(digest_group, state.digests());
  file.flush();
  file.set_attribute("/", "complete", "yes");
  file.close();
  on_root(comm_, [&] {
    sync_to_disk(partial);
    replace_file(partial, target);
    remove_older_than_two();
  });
}

CheckpointStore::Loaded CheckpointStore::load_latest(const std::function<void(const CheckpointReader&)>& reader) const {
  auto known = sequences();
  if (known.empty())
    throw InputDataError("no checkpoint of '{}' exists (looked for '{}.checkpoint-…'); start without --resume",
                         output_.string(), output_.string());
  Loaded loaded;
  for (auto sequence = known.rbegin(); sequence != known.rend(); ++sequence) {
    std::optional<File> file;
    try {
      file.emplace(File::open(comm_, file_of(*sequence)));
      require_sound(*file);
    } catch (const InputDataError& error) {
      loaded.warnings.push_back(fmt::format("checkpoint {} is damaged and passed over: {}", *sequence, error.what()));
      continue;
    }
    if (text_attribute(*file, "/", "configuration_hash") != configuration_hash_)
      throw ConfigurationError(
          "checkpoint '{}' belongs to another configuration; resume with the configuration it was written with, or "
          "remove it and start anew",
          file->name());
    loaded.sequence = *sequence;
    reader(CheckpointReader(*file));
    return loaded;
  }
  throw InputDataError("no checkpoint of '{}' can be used: {}", output_.string(), fmt::join(loaded.warnings, "; "));
}

void CheckpointStore::remove_older_than_two() const {
  const auto known = sequences_in(output_);
  for (std::size_t i = 0; i + 2 < known.size(); ++i) std::filesystem::remove(file_of(known[i]));
  remove_partial();
}

void CheckpointStore::remove_partial() const {
  const auto prefix = output_.filename().string() + ".checkpoint-";
  const auto folder = output_.parent_path().empty() ? std::filesystem::path(".") : output_.parent_path();
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (const auto name = entry.path().filename().string(); name.starts_with(prefix) && name.ends_with(".partial"))
      left.push_back(entry.path());
  for (const auto& path : left) std::filesystem::remove(path);
}

void CheckpointStore::remove_all() {
  on_root(comm_, [&] {
    for (const auto sequence : sequences_in(output_)) std::filesystem::remove(file_of(sequence));
    remove_partial();
  });
}

#define RANKFLOW_INSTANTIATE(T)                                                                           \
  template void CheckpointWriter::neurons<T>(const std::string&, const parallel::Partition&, std::size_t, \
                                             std::span<const T>);                                         \
  template void CheckpointReader::neurons<T>(const std::string&, const parallel::Partition&, std::size_t, \
                                             std::span<T>) const;
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE
template void CheckpointWriter::values<double>(const std::string&, std::span<const double>);
template void CheckpointWriter::values<std::int64_t>(const std::string&, std::span<const std::int64_t>);
template std::vector<double> CheckpointReader::values<double>(const std::string&) const;
template std::vector<std::int64_t> CheckpointReader::values<std::int64_t>(const std::string&) const;

}  // namespace rankflow::io
