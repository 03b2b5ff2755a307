#include "sweep/owner.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <unistd.h>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

struct ProcessState {
  char state = '?';
  std::int64_t started = 0;
};

/// From /proc; nothing when there is no such process.
std::optional<ProcessState> look_at(std::int64_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name stands in parentheses and may hold spaces and parentheses of its own.
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  ProcessState found;
  rest >> found.state;
  constexpr int fields_between = 18;  // proc(5): state is field 3, starttime field 22
  std::string skipped;
  for (int i = 0; i < fields_between; ++i) rest >> skipped;
  rest >> found.started;
  return found;
}

std::string name_of_instance() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  std::error_code unknown;
  const auto processes = std::filesystem::read_symlink("/proc/self/ns/pid", unknown);
  if (boot.empty() || unknown) return {};
  return boot + " " + processes.string();
}

std::string name_of_job() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const auto array = variable("SLURM_ARRAY_JOB_ID");
  return array.empty() ? variable("SLURM_JOB_ID") : array + "_" + variable("SLURM_ARRAY_TASK_ID");
}

}  // namespace

Owner Owner::myself() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {'?'};
  const auto me = look_at(::getpid());
  return {.host = host.data(),
          .instance = name_of_instance(),
          .process = ::getpid(),
          .started = me ? me->started : 0,
          .job = name_of_job()};
}

bool Owner::surely_gone() const {
  static const std::string here = name_of_instance();
  if (instance.empty() || instance != here || process <= 0) return false;
  const auto found = look_at(process);
  const bool ended = found && (found->state == 'Z' || found->state == 'X');  // its parent has not noticed yet
  return !found || ended || found->started != started;
}

std::string Owner::text() const {
  return config::document_toml({config::Table{{"host", {host}},
                                              {"instance", {instance}},
                                              {"process", {process}},
                                              {"started", {started}},
                                              {"job", {job}},
                                              {"complete", {true}}}});
}

Owner Owner::parse(const std::string& text) {
  try {
    const auto root = config::parse_document(text, "claim");
    if (root.find("complete") == nullptr) return {};
    const auto word = [&](const char* key) {
      const auto* value = root.find(key);
      return value != nullptr && value->as<std::string>() != nullptr ? *value->as<std::string>() : "";
    };
    const auto number = [&](const char* key) {
      const auto* value = root.find(key);
      return value != nullptr && value->as<std::int64_t>() != nullptr ? *value->as<std::int64_t>() : 0;
    };
    return {.host = word("host"),
            .instance = word("instance"),
            .process = number("process"),
            .started = number("started"),
            .job = word("job")};
  } catch (const ConfigurationError&) {
    return {};
  }
}

}  // namespace rankflow::sweep
