#include "sweep/supervised_measurement.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>

#include <unistd.h>

#include "io/provenance.hpp"
#include "parallel/stop_signals.hpp"
#include "sweep/child.hpp"
#include "sweep/launcher.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/measurement.hpp"
#include "sweep/owner.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::chrono::milliseconds between_questions{50};

std::vector<std::string> measurement_command(const Plan& plan, const Supervision& how, int processors) {
  auto words = launcher_of(processors);
  for (const auto& word : {how.program.string(), std::string("sweep"), std::string("measure"), plan.directory.string(),
                           std::string("--here")})
    words.push_back(word);
  if (how.workers > 0) {
    words.emplace_back("--workers");
    words.push_back(std::to_string(how.workers));
  }
  if (how.wall_time > 0) {
    words.emplace_back("--wall-time");
    words.push_back(fmt::format("{:.3f}", how.wall_time));
  }
  return words;
}

/// s that it may take in all: the measurement itself ends a trial that hangs, so that this is longer than it needs.
double longest_measurement(const Plan& plan, int processors) {
  const double trial = seconds_of_a_trial + patience_with_trial(plan);
  const double sizes = 1 + std::ceil(std::log2(processors));
  return (sizes + 1) * trial;
}

/// Its exit code; hands signals on, and kills it when it does not end: then it is that of SIGKILL.
int wait_for(Child& child, double seconds, double seconds_after_signal) {
  using Clock = std::chrono::steady_clock;
  const auto later = [](double wait) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wait));
  };
  auto deadline = later(seconds);
  bool told = false;
  while (true) {
    if (const auto code = child.ended()) return *code;
    if (!told && parallel::StopSignals::pending() != 0) {
      told = true;
      child.send(SIGUSR1);
      deadline = std::min(deadline, later(seconds_after_signal));
    }
    if (Clock::now() > deadline) child.kill_all();
    std::this_thread::sleep_for(between_questions);
  }
}

}  // namespace

ExitCode supervise_measurement(const Plan& plan, const Supervision& how, Console& console) {
  const int processors = available_processors();
  const auto what = measurement_for(plan, processors, how.workers);
  if (!what || processors == 1) return ExitCode::done;
  MeasuredRanks record{.ranks = 1,
                       .speeds = {},
                       .demand = what->demand,
                       .case_id = what->one->id,
                       .host = Owner::myself().host,
                       .finished = {},
                       .note = {}};
  const auto finish = [&] {
    record.finished = io::utc_now();
    if (record_measured_ranks(plan.directory, record)) console.info("ranks of a case: {}", text_of(record));
    return ExitCode::done;
  };
  if (!next_group_size(what->demand, {})) return finish();
  console.info("measuring how many ranks a case should have on {} processors: {} s for each size", processors,
               seconds_of_a_trial);
  const parallel::StopSignals signals;
  const auto logs = plan.directory / "workers";
  std::filesystem::create_directories(logs);
  const auto log = logs / fmt::format("{}-{}-measure.log", record.host, ::getpid());
  Child child(measurement_command(plan, how, processors), log);
  const int code =
      wait_for(child, longest_measurement(plan, processors), seconds_of_a_trial + patience_with_trial(plan));
  if (parallel::StopSignals::pending() != 0) return ExitCode::stopped;
  // Also by one that was killed, or by others meanwhile.
  if (const auto found = read_measured_ranks(plan.directory)) {
    console.info("ranks of a case: {}", text_of(*found));
    return ExitCode::done;
  }
  if (code == static_cast<int>(ExitCode::done)) return ExitCode::done;
  if (code == static_cast<int>(ExitCode::stopped)) return ExitCode::stopped;
  record.note = fmt::format("the measurement ended with {}, see {}", code, log.string());
  console.warn("how many ranks a case should have cannot be measured: {}", record.note);
  return finish();
}

}  // namespace rankflow::sweep
