#include "sweep/child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

std::vector<char*> word_pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (auto& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

/// In the new process; only what is safe between fork and exec. Tells the reason through `report` when it fails.
[[noreturn]] void become(pid_t parent, char** words, char** environment, const char* log, int report) {
  const int output = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  const int nothing = ::open("/dev/null", O_RDONLY);
  // A group of its own: Ctrl-C reaches the one who started it, who decides.
  const bool ready = output >= 0 && nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 &&
                     ::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(output, STDERR_FILENO) >= 0 && ::setpgid(0, 0) == 0 &&
                     ::prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0;
  if (ready && ::getppid() == parent) ::execvpe(words[0], words, environment);
  const int reason = errno;
  const auto told = ::write(report, &reason, sizeof reason);
  ::_exit(told == sizeof reason ? 127 : 126);
}

/// What mpirun and srun tell the processes of a job about the job. What a user sets to steer MPI stays, as
/// OMPI_MCA_btl, PMIX_MCA_… do.
bool is_of_the_job(std::string_view entry) {
  constexpr std::array names{"OMPI_COMM_WORLD_", "OMPI_MCA_ess",       "OMPI_MCA_orte_", "OMPI_MCA_pmix=",
                             "OMPI_APP_CTX_",    "OMPI_UNIVERSE_",     "OMPI_NUM_APP_",  "OMPI_FIRST_RANKS=",
                             "OMPI_COMMAND=",    "OMPI_FILE_LOCATION", "PRTE_LAUNCHED"};
  if (entry.starts_with("PMIX_")) return !entry.starts_with("PMIX_MCA_");
  return std::ranges::any_of(names, [&](const char* name) { return entry.starts_with(name); });
}

bool says_rank(const std::string& entry) {
  return entry.starts_with("PMIX_RANK=") || entry.starts_with("OMPI_COMM_WORLD_RANK=");
}

}  // namespace

std::vector<std::string> initial_environment() {
  std::ifstream file("/proc/self/environ", std::ios::binary);
  std::vector<std::string> entries;
  for (std::string entry; std::getline(file, entry, '\0');) entries.push_back(entry);
  if (std::ranges::any_of(entries, says_rank)) std::erase_if(entries, is_of_the_job);
  return entries;
}

Child::Child(const std::vector<std::string>& words, const std::filesystem::path& log) {
  auto arguments = words;
  auto environment = initial_environment();
  auto argument_pointers = word_pointers(arguments);
  auto environment_pointers = word_pointers(environment);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw InputOutputError("{} cannot be started: {}", words.front(), std::strerror(errno));
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) become(parent, argument_pointers.data(), environment_pointers.data(), log.c_str(), ends[1]);
  int reason = process_ < 0 ? errno : 0;
  ::close(ends[1]);
  if (process_ > 0 && ::read(ends[0], &reason, sizeof reason) != sizeof reason) reason = 0;  // it closed by exec
  ::close(ends[0]);
  if (reason != 0) throw InputOutputError("{} cannot be started: {}", words.front(), std::strerror(reason));
}

Child::Child(Child&& other) noexcept : process_(std::exchange(other.process_, -1)), code_(other.code_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(process_, other.process_);
  std::swap(code_, other.code_);
  return *this;
}

Child::~Child() {
  if (process_ <= 0 || code_) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

std::optional<int> Child::ended() {
  int status = 0;
  if (!code_ && ::waitpid(process_, &status, WNOHANG) == process_)
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

void Child::send(int signal) const {
  if (!code_) ::kill(process_, signal);
}

void Child::kill_all() const {
  if (!code_) ::kill(-process_, SIGKILL);
}

}  // namespace rankflow::sweep
