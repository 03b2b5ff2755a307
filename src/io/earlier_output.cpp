#include "io/earlier_output.hpp"

#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "io/agreement.hpp"
#include "io/checkpoint_store.hpp"
#include "io/file_system.hpp"

namespace rankflow::io {
namespace {

constexpr std::uintmax_t largest_hashed_file = std::uintmax_t{64} << 20;

/// The same answer on every rank although only rank 0 looks.
bool rank_zero_sees(const parallel::Communicator& comm, bool mine) {
  return comm.any(comm.is_root() && mine);
}

void refuse_inputs(const PlannedOutput& output, const parallel::Communicator& comm) {
  for (const auto& input : output.inputs) {
    std::error_code ignored;
    if (rank_zero_sees(comm, std::filesystem::equivalent(input, output.path, ignored)))
      throw ConfigurationError("{} is both the output and a file the configuration reads; choose another output",
                               output.path.string());
  }
}

Earlier look_at_result(const PlannedOutput& output, const parallel::Communicator& comm) {
  try {
    const auto file = File::open(comm, output.path);
    require_file_type(file, output.type);
    const auto status = file.attribute("/provenance", "status");
    const bool complete = status && *status == Attribute(name_of(Status::complete));
    return complete || !output.resume ? Earlier::complete : Earlier::nothing;
  } catch (const InputDataError& error) {
    throw ConfigurationError("{} exists and is no {} file of Rankflow ({}); choose another output{}",
                             output.path.string(), name_of(output.type), error.what(),
                             output.resume || !output.may_overwrite ? "" : ", or replace it with --overwrite");
  }
}

}  // namespace

Earlier check_output(const PlannedOutput& output, const parallel::Communicator& comm) {
  on_root(comm, [&] { require_possible_target(output.path); });
  refuse_inputs(output, comm);
  std::error_code ignored;
  if (!rank_zero_sees(comm, std::filesystem::exists(output.path, ignored))) return Earlier::nothing;
  const CheckpointStore store(output.path, comm, "");
  const bool unfinished = !store.sequences().empty();
  if (unfinished && !output.resume && !output.overwrite)
    throw ConfigurationError(
        "{} is an unfinished run with a checkpoint; continue it with --resume, or discard it with --overwrite",
        output.path.string());
  if (unfinished) return Earlier::unfinished;
  if (output.overwrite) return Earlier::nothing;
  return look_at_result(output, comm);
}

std::string content_of(const std::filesystem::path& path, const parallel::Communicator& comm) {
  std::string digest;
  if (comm.is_root()) {
    std::error_code ignored;
    const auto size = std::filesystem::file_size(path, ignored);
    std::ostringstream text;
    if (!ignored && size <= largest_hashed_file) text << std::ifstream(path, std::ios::binary).rdbuf();
    digest = fmt::format("{} {}", size, hash_of(text.str()));
  }
  comm.broadcast(digest);
  return digest;
}

}  // namespace rankflow::io
