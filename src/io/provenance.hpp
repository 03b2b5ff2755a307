#pragma once
#include <cstdint>
#include <string>

#include "io/hdf5_file.hpp"

namespace rankflow::io {

enum class FileType { recording, network, run, checkpoint, fit, filter, evaluation, analysis, sweep, flow, comparison };

/// As in the root attribute `file_type`.
std::string name_of(FileType type);

inline constexpr std::int64_t format_version = 1;

/// How a result came to be. Everything that may differ between equal runs is written here and nowhere
/// else, so that results can be compared bit by bit.
struct Provenance {
  std::string configuration;  ///< the resolved configuration as TOML text
  std::uint64_t seed = 0;
  Attributes more = {};  ///< further attributes, as in versions of libraries
};

/// State of a file, the attribute `status` of /provenance.
enum class Status { running, complete, stopped, failed };

std::string name_of(Status status);

/// Now, as in "2024-05-01T12:00:00Z".
std::string utc_now();

/// Writes the root attributes and the group /provenance: code_version, git_hash, configuration, seed,
/// ranks, host, start_time, end_time, status, failure, wall_seconds, resumes and the library versions.
void write_provenance(File& file, FileType type, const Provenance& provenance);

/// Throws InputDataError when the file names a format version this program does not read.
void require_readable_format(const File& file);

/// Throws InputDataError unless the file was written as `type` in a format this program reads.
void require_file_type(const File& file, FileType type);

}  // namespace rankflow::io
