#include "io/output_file.hpp"

#include <array>

#include "io/file_system.hpp"

namespace rankflow::io {

OutputFile::OutputFile(File file, std::filesystem::path target, bool published)
    : file_(std::move(file)), target_(std::move(target)), published_(published) {
  file_.rename_in_messages(target_.string());
}

OutputFile::~OutputFile() {
  // A moved-from object has lost its target.
  if (published_ || target_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_name(target_), ignored);
}

OutputFile OutputFile::create(const parallel::Communicator& comm, const std::filesystem::path& named, FileType type,
                              const Provenance& provenance, std::uint64_t bytes) {
  // Through a symbolic link the file it points to is replaced, not the link.
  const auto target = std::filesystem::is_symlink(named) ? std::filesystem::weakly_canonical(named) : named;
  on_root(comm, [&] {
    require_possible_target(target);
    require_space(temporary_name(target), bytes);
  });
  OutputFile output(File::create(comm, temporary_name(target)), target, false);
  write_provenance(output.file_, type, provenance);
  return output;
}

OutputFile OutputFile::reopen(const parallel::Communicator& comm, const std::filesystem::path& target, FileType type) {
  OutputFile output(File::open(comm, target, File::Mode::append), target, true);
  auto& file = output.file_;
  require_file_type(file, type);
  const auto number = [&](const char* name) {
    const auto value = file.attribute("/provenance", name);
    return value ? *value : Attribute(0.0);
  };
  if (const auto seconds = number("wall_seconds"); std::holds_alternative<double>(seconds))
    output.earlier_seconds_ = std::get<double>(seconds);
  const auto resumes = number("resumes");
  const auto* count = std::get_if<std::int64_t>(&resumes);
  file.set_attribute("/provenance", "resumes", count == nullptr ? std::int64_t{1} : *count + 1);
  file.set_attribute("/provenance", "ranks", static_cast<std::int64_t>(comm.size()));
  file.set_attribute("/provenance", "status", name_of(Status::running));
  file.set_attribute("/provenance", "failure", "");
  file.flush();
  return output;
}

void OutputFile::publish() {
  file_.flush();
  if (published_) return;
  on_root(file_.comm(), [&] {
    claim_blocks(temporary_name(target_));
    sync_to_disk(temporary_name(target_));
    replace_file(temporary_name(target_), target_);
  });
  published_ = true;
}

void OutputFile::finish(Status status) {
  record_end(status);
  publish();
  file_.close();
}

bool OutputFile::fail(const std::string& message, double patience) {
  if (!file_.comm().meet_within(patience)) return false;
  std::string reason = message.substr(0, message.find('\n'));
  file_.comm().broadcast(reason);
  file_.set_attribute("/provenance", "failure", reason);
  finish(Status::failed);
  return true;
}

void OutputFile::record_end(Status status) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  std::array<double, 1> longest{earlier_seconds_ + seconds.count()};
  file_.comm().maximum(longest);
  auto end = utc_now();
  file_.comm().broadcast(end);
  // First the results, then the word that they are complete.
  file_.flush();
  file_.set_attribute("/provenance", "end_time", end);
  file_.set_attribute("/provenance", "wall_seconds", longest[0]);
  file_.set_attribute("/provenance", "status", name_of(status));
}

}  // namespace rankflow::io
