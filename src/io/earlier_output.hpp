#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/provenance.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::io {

/// What stands at an output's place before a session.
enum class Earlier { nothing, complete, unfinished };

/// An output that somebody is about to write.
struct PlannedOutput {
  std::filesystem::path path;
  FileType type = FileType::run;
  std::vector<std::filesystem::path> inputs;  ///< files that are read, which must not be overwritten
  bool resume = false;
  bool overwrite = false;
  bool may_overwrite = true;  ///< the command has --overwrite
};

/// Looks at the output and refuses what would destroy something: a file that is read, a file that is no result of this
/// type, an unfinished run (unless `overwrite` or `resume`). Collective. Throws ConfigurationError, and
/// InputOutputError for a place where no file can be.
Earlier check_output(const PlannedOutput& output, const parallel::Communicator& comm);

/// Size and hash of a file's content (of up to 64 MiB, larger ones: size alone), the same on every rank. Collective.
std::string content_of(const std::filesystem::path& path, const parallel::Communicator& comm);

}  // namespace rankflow::io
