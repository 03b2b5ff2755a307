#include "sweep/output_redirection.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

void flush() {
  std::fflush(stdout);
  std::fflush(stderr);
}

}  // namespace

OutputRedirection::OutputRedirection(const std::filesystem::path& file) {
  const int target = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (target < 0) throw InputOutputError("cannot write '{}': {}", file.string(), std::strerror(errno));
  flush();
  output_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  error_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  ::dup2(target, STDOUT_FILENO);
  ::dup2(target, STDERR_FILENO);
  ::close(target);
}

OutputRedirection::~OutputRedirection() {
  flush();
  if (output_ >= 0) ::dup2(output_, STDOUT_FILENO);
  if (error_ >= 0) ::dup2(error_, STDERR_FILENO);
  if (output_ >= 0) ::close(output_);
  if (error_ >= 0) ::close(error_);
}

}  // namespace rankflow::sweep
