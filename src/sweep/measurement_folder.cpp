#include "sweep/measurement_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include <unistd.h>

#include "core/error.hpp"
#include "sweep/owner.hpp"
#include "sweep/shared_folder.hpp"

namespace rankflow::sweep {
namespace {

namespace fs = std::filesystem;

constexpr const char* measurements_name = "measure";
constexpr const char* owner_name = "owner.toml";
constexpr int deaths_until_failure = 2;

std::string trial_name(int ranks) {
  return fmt::format("{}.toml", ranks);
}

std::string size_name(int ranks) {
  return fmt::format("{} {}", ranks, ranks == 1 ? "rank" : "ranks");
}

/// Sizes are powers of two; the largest one that was begun.
int last_trial(const fs::path& folder) {
  const SharedFolder here(folder);
  int last = 0;
  for (int ranks = 1; here.exists(trial_name(ranks)); ranks *= 2) last = ranks;
  return last;
}

bool measurement_died(const fs::path& folder, double now, double patience) {
  const SharedFolder here(folder);
  const auto owner = here.read(owner_name);
  if (!owner) return false;  // it is just beginning, or ending
  if (Owner::parse(owner->text).surely_gone()) return true;
  const auto trial = here.read(trial_name(last_trial(folder)));
  return now - (trial ? trial->modified : owner->modified) > patience;
}

std::vector<fs::path> dead_measurements(const fs::path& mine, double patience) {
  const double now = SharedFolder(mine).now();
  std::vector<fs::path> dead;
  SharedFolder(mine.parent_path()).list("", [&](std::string_view name) {
    const auto folder = mine.parent_path() / name;
    if (folder != mine && measurement_died(folder, now, patience)) dead.push_back(folder);
  });
  return dead;
}

}  // namespace

fs::path make_measurement_folder(const fs::path& sweep) {
  constexpr int attempts = 100;  // another measurement may remove the empty folder above at any moment
  const auto me = Owner::myself();
  const auto pattern = (sweep / measurements_name / fmt::format("{}-{}-XXXXXX", me.host, me.process)).string();
  for (int i = 0; i < attempts; ++i) {
    std::error_code ignored;
    fs::create_directories(sweep / measurements_name, ignored);
    auto name = pattern;
    if (::mkdtemp(name.data()) == nullptr) continue;
    fs::permissions(name, fs::status(sweep).permissions(), ignored);
    SharedFolder(name).create(owner_name, me.text());
    return name;
  }
  throw InputOutputError("cannot create '{}': {}", pattern, std::strerror(errno));
}

void remove_measurement_folder(const fs::path& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  fs::remove(folder.parent_path(), ignored);  // refused while there are others
}

void mark_trial(const fs::path& folder, const MeasuredRanks& should_it_fail) {
  SharedFolder(folder).publish(trial_name(should_it_fail.speeds.back().ranks), record_text(should_it_fail));
}

bool is_trial_marked(const fs::path& folder, int ranks) {
  return SharedFolder(folder).exists(trial_name(ranks));
}

std::optional<MeasuredRanks> record_after_two_deaths(const fs::path& mine, double patience) {
  std::map<int, int> deaths;
  for (const auto& folder : dead_measurements(mine, patience)) {
    const int ranks = last_trial(folder);
    if (ranks == 0 || ++deaths[ranks] < deaths_until_failure) continue;
    auto record = read_record(folder / trial_name(ranks));
    if (!record) continue;
    record->note = fmt::format("with {} a measurement died, twice", size_name(ranks));
    return record;
  }
  return std::nullopt;
}

void remove_dead_measurements(const fs::path& mine, double patience) {
  for (const auto& folder : dead_measurements(mine, patience)) remove_measurement_folder(folder);
}

}  // namespace rankflow::sweep
