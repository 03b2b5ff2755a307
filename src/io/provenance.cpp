#include "io/provenance.hpp"

#include <array>
#include <ctime>

#include <unistd.h>

#include "core/version.hpp"
#include "io/file_kind.hpp"
#include "io/hdf5_support.hpp"

namespace rankflow::io {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

/// Attributes are metadata: every rank must write the same value.
std::string of_root(const parallel::Communicator& comm, std::string text) {
  comm.broadcast(text);
  return text;
}

}  // namespace

std::string name_of(FileType type) {
  constexpr std::array names{"recording",  "network",  "run",   "checkpoint", "fit",       "filter",
                             "evaluation", "analysis", "sweep", "flow",       "comparison"};
  return names[static_cast<std::size_t>(type)];
}

std::string name_of(Status status) {
  constexpr std::array names{"running", "complete", "stopped", "failed"};
  return names[static_cast<std::size_t>(status)];
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

void write_provenance(File& file, FileType type, const Provenance& provenance) {
  const auto& comm = file.comm();
  file.set_attribute("/", "file_type", name_of(type));
  file.set_attribute("/", "format_version", format_version);
  file.create_group("/provenance");
  Attributes values = provenance.more;
  values["code_version"] = version();
  values["git_hash"] = git_hash();
  values["configuration"] = provenance.configuration;
  values["seed"] = provenance.seed;
  values["ranks"] = static_cast<std::int64_t>(comm.size());
  values["host"] = of_root(comm, host_name());
  values["start_time"] = of_root(comm, utc_now());
  values["end_time"] = "";
  values["status"] = name_of(Status::running);
  values["failure"] = "";
  values["wall_seconds"] = 0.0;
  values["resumes"] = std::int64_t{0};
  values["hdf5_version"] = hdf5_version();
  file.set_attributes("/provenance", values);
}

void require_readable_format(const File& file) {
  const auto format = file.attribute("/", "format_version");
  if (!format) return;
  const auto* number = std::get_if<std::int64_t>(&*format);
  if (number == nullptr || *number < 1 || *number > format_version)
    throw InputDataError("'{}' has format version {}, this program reads version {}", file.name(),
                         number == nullptr ? "?" : std::to_string(*number), format_version);
}

void require_file_type(const File& file, FileType type) {
  const auto found = file.attribute("/", "file_type");
  const auto* name = found ? std::get_if<std::string>(&*found) : nullptr;
  if (name == nullptr)
    throw InputDataError("'{}' is not a Rankflow file: the root attribute 'file_type' is missing, expected '{}'",
                         file.name(), name_of(type));
  if (*name != name_of(type))
    throw InputDataError("'{}' is {}, expected {}", file.name(), with_article(*name), with_article(name_of(type)));
  require_readable_format(file);
}

}  // namespace rankflow::io
