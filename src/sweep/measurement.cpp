#include "sweep/measurement.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>

#include <unistd.h>

#include "io/agreement.hpp"
#include "io/provenance.hpp"
#include "parallel/batch_job.hpp"
#include "parallel/failure_guard.hpp"
#include "parallel/stop_signals.hpp"
#include "sweep/ledger.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/measurement_folder.hpp"
#include "sweep/output_redirection.hpp"
#include "sweep/trial_watch.hpp"

namespace rankflow::sweep {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double least_grace_of_trial = 30;  ///< s, as for a case
constexpr double never_ends = std::numeric_limits<double>::infinity();
constexpr double nanoseconds = 1e9;
constexpr std::int64_t unmeasured = -1;

double seconds_until_now(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One case, tried on groups of one size after the other.
class Trials {
 public:
  Trials(const Plan& plan, const Measurement& what, const Runner& runner, const parallel::Communicator& world,
         double wall_time)
      : plan_(plan), what_(what), runner_(runner), world_(world), wall_time_(wall_time) {
    record_.demand = what.demand;
    record_.case_id = what.one->id;
    record_.host = Owner::myself().host;
    std::string folder;
    io::on_root(world, [&] { folder = make_measurement_folder(plan.directory).string(); });
    world.broadcast(folder);
    folder_ = folder;
  }

  /// Nothing when it was stopped.
  std::optional<MeasuredRanks> run(Console& console) {
    if (world_.any(world_.is_root() && take_over())) return record_;
    auto& speeds = record_.speeds;
    while (const auto ranks = next_group_size(what_.demand, speeds)) {
      if (!try_on(*ranks)) return std::nullopt;
      const bool known = std::isfinite(speeds.back().seconds);
      console.info("{} {} for a case: {}", *ranks, *ranks == 1 ? "rank" : "ranks",
                   known ? duration_text(speeds.back().seconds) : "failed");
    }
    record_.ranks = best_group_size(what_.demand, speeds);
    record_.finished = io::utc_now();
    return record_;
  }

  void clean_up() const { remove_measurement_folder(folder_); }
  void clean_up_after_the_dead() const { remove_dead_measurements(folder_, longest_trial()); }

 private:
  double longest_trial() const { return seconds_of_a_trial + patience_with_trial(plan_); }

  /// What two dead measurements came to.
  bool take_over() {
    const auto found = record_after_two_deaths(folder_, 2 * longest_trial());
    if (found) record_ = *found;
    return found.has_value();
  }

  MeasuredRanks record_should_it_fail(int ranks) const {
    auto record = record_;
    record.speeds.push_back({ranks, never_ends});
    record.ranks = best_group_size(what_.demand, record.speeds);
    record.finished = io::utc_now();
    record.note = fmt::format("with {} {}: the case neither ended nor stopped within {:.0f} s", ranks,
                              ranks == 1 ? "rank" : "ranks", longest_trial());
    return record;
  }

  /// False when it was stopped.
  bool try_on(int ranks) {
    std::optional<TrialWatch> watch;
    io::on_root(world_, [&] {
      const auto record = record_should_it_fail(ranks);
      mark_trial(folder_, record);
      watch.emplace(longest_trial(), [this, record] { return end_stuck_trial(record); });
    });
    record_.speeds.push_back({ranks, time_on(ranks)});
    if (world_.any(is_time_up())) return false;
    io::on_root(world_, [&] {
      if (!is_trial_marked(folder_, ranks))
        throw InputOutputError("'{}' was removed while ranks were measured there; the same command measures again",
                               folder_.string());
    });
    return true;
  }

  /// Nothing else ends what hangs on some rank, and the launcher ends the others. From another thread.
  std::string end_stuck_trial(const MeasuredRanks& record) const {
    auto message = fmt::format("the measurement of ranks is killed: {}", record.note);
    try {
      if (parallel::StopSignals::pending() == 0) record_measured_ranks(plan_.directory, record);
    } catch (const InputOutputError& error) {
      message += fmt::format("; {}", error.what());
    }
    clean_up();
    return message;
  }

  bool is_time_up() const {
    const auto job = parallel::work_seconds_left_in_job();
    return parallel::StopSignals::pending() != 0 || (job && *job <= 0) ||
           (wall_time_ > 0 && seconds_until_now(start_) >= wall_time_);
  }

  double seconds_of_this_trial() const {
    constexpr double shortest = 1e-3;
    return wall_time_ > 0 ? std::clamp(wall_time_ - seconds_until_now(start_), shortest, seconds_of_a_trial)
                          : seconds_of_a_trial;
  }

  /// s of the case on groups of so many ranks, their mean; infinity when it failed. The same on every rank.
  double time_on(int ranks) {
    const auto groups = groups_at_once(what_.demand, ranks);
    const int number = world_.rank() / ranks;
    const auto group = world_.split(number);
    double mine = never_ends;
    if (number < groups && group.size() == ranks) mine = time_in(group, number);
    const bool counts = number < groups && group.is_root();
    return mean(counts ? mine : 0, counts, groups);
  }

  double mean(double mine, bool counts, std::int64_t groups) const {
    const auto count = std::isfinite(mine) ? std::llround(mine * nanoseconds) : unmeasured;
    double sum = 0;
    for (const auto one : world_.all_gather(counts ? count : 0)) {
      if (one == unmeasured) return never_ends;
      sum += static_cast<double>(one);
    }
    return sum / nanoseconds / static_cast<double>(groups);
  }

  double time_in(const parallel::Communicator& group, int number) {
    const auto folder = folder_ / fmt::format("{}x{}", group.size(), number);
    const Task task{.one = *what_.one,
                    .configuration = folder / "config.toml",
                    .result = folder / "result.h5",
                    .overwrite = true,
                    .wall_time = seconds_of_this_trial()};
    double seconds = never_ends;
    const auto guard = group.split(0);
    const auto attempt = parallel::attempt_together(guard, [&] {
      io::on_root(group, [&] {
        fs::create_directories(folder);
        std::ofstream(task.configuration, std::ios::binary) << what_.one->configuration;
      });
      seconds = time_of(task, group);
      return ExitCode::done;
    });
    if (attempt.alone) end_job(attempt);
    if (!attempt.failure.empty()) {
      record_.note = fmt::format("with {} ranks: {}", group.size(), attempt.failure);
      return never_ends;
    }
    return seconds;
  }

  /// Everything but the work itself takes as long in a whole case; of the work it did a share.
  double time_of(const Task& task, const parallel::Communicator& group) const {
    const OutputRedirection log(task.result.parent_path() / "log.txt");
    Console console(group.is_root(), true);
    const auto comm = group.split(0);
    const auto begin = Clock::now();
    const auto code = runner_.run(task, comm, console);
    const double all = seconds_until_now(begin);
    if (code == ExitCode::done) return all;
    const auto pace = console.pace();
    return pace.share > 0 ? all - pace.seconds + pace.seconds / pace.share : never_ends;
  }

  /// MPI cannot go on without a rank; the next call shall not come to the same end.
  [[noreturn]] void end_job(const parallel::Attempt& attempt) {
    record_.note = fmt::format("rank {} failed alone: {}", world_.rank(), attempt.failure);
    record_.speeds.clear();
    record_measured_ranks(plan_.directory, record_);
    clean_up();
    std::fprintf(stderr, "%s\n", record_.note.c_str());
    parallel::Environment::abort(static_cast<int>(attempt.code));
  }

  const Plan& plan_;
  const Measurement& what_;
  const Runner& runner_;
  const parallel::Communicator& world_;
  double wall_time_;
  fs::path folder_;
  MeasuredRanks record_;
  Clock::time_point start_ = Clock::now();
};

/// As rank 0 finds them: others may be at work on the sweep. Collective.
std::optional<Measurement> agreed(const Plan& plan, const parallel::Communicator& world, int workers) {
  std::array<std::int64_t, 2> found{};  // index of the case, open cases
  io::on_root(world, [&] {
    if (const auto what = measurement_for(plan, world.size(), workers))
      found = {what->one - plan.cases.data(), what->demand.cases};
  });
  world.broadcast(std::span<std::int64_t>(found));
  if (found[1] == 0) return std::nullopt;
  return Measurement{.one = &plan.cases[static_cast<std::size_t>(found[0])],
                     .demand = {.cases = found[1], .processors = world.size(), .workers = workers}};
}

}  // namespace

double patience_with_trial(const Plan& plan) {
  return std::max(least_grace_of_trial, plan.stale_after);
}

std::optional<Measurement> measurement_for(const Plan& plan, int processors, int workers) {
  const auto survey = Ledger(plan.directory).survey();
  Measurement what{.one = nullptr, .demand = {.cases = 0, .processors = processors, .workers = workers}};
  for (const auto& one : plan.cases) {
    const auto found = survey.find(one.id);
    if (one.ranks != ranks_to_measure || (found != survey.end() && found->second.done)) continue;
    if (what.one == nullptr) what.one = &one;
    ++what.demand.cases;
  }
  return what.one == nullptr ? std::nullopt : std::optional(what);
}

ExitCode measure_ranks(const Plan& plan, const Runner& runner, const parallel::Communicator& world, Console& console,
                       const MeasurementLimits& limits) {
  const parallel::StopSignals signals;
  const auto what = agreed(plan, world, limits.workers);
  if (!what) return ExitCode::done;
  Trials trials(plan, *what, runner, world, limits.wall_time);
  const auto measured = trials.run(console);
  io::on_root(world, [&] {
    if (measured && record_measured_ranks(plan.directory, *measured))
      console.info("ranks of a case: {}", text_of(*measured));
    if (measured) trials.clean_up_after_the_dead();
    trials.clean_up();
  });
  return measured ? ExitCode::done : ExitCode::stopped;
}

}  // namespace rankflow::sweep
