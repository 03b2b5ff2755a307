#include "sweep/supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <thread>
#include <unordered_set>

#include <unistd.h>

#include "parallel/stop_signals.hpp"
#include "sweep/case_session.hpp"
#include "sweep/child.hpp"
#include "sweep/halving_record.hpp"
#include "sweep/launcher.hpp"

namespace rankflow::sweep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds turn{50};
constexpr double least_between_looks = 0.5;  ///< s, at the whole ledger
constexpr double share_of_looking = 0.02;    ///< of the time, in large sweeps
constexpr int most_setbacks = 10;            ///< workers that fail one after the other without a case being over,
constexpr int setbacks_of_a_worker = 2;      ///< and so many more for each of those that work at once

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string last_line_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);)
    if (line.find_first_not_of(" -") != std::string::npos) last = line;
  return last;
}

class Supervisor {
 public:
  Supervisor(const Plan& plan, const Supervision& how, Console& console)
      : plan_(plan), how_(how), console_(console), ledger_(plan.directory), most_workers_(workers_at_once()) {
    if (!plan.rungs.empty()) halving_.emplace(plan);
  }

  ExitCode run() {
    std::filesystem::create_directories(logs());
    look();
    console_.info("{} of {} cases are over; working with {} {} at once", over_, plan_.cases.size(), most_workers_,
                  most_workers_ == 1 ? "worker" : "workers");
    console_.begin_progress("sweep", share_over());
    while (!is_finished()) {
      collect_children();
      if (must_stop()) stop_all();
      if (seconds_since(last_look_) > pause_) look();
      if (!stopping_) start_children();
      console_.progress(share_over(), note());
      std::this_thread::sleep_for(turn);
    }
    console_.end_progress();
    return conclude();
  }

 private:
  struct Worker {
    Child child;
    int ranks;
    std::filesystem::path log;
  };

  std::filesystem::path logs() const { return plan_.directory / "workers"; }
  double share_over() const { return static_cast<double>(over_) / static_cast<double>(plan_.cases.size()); }

  int workers_at_once() const {
    if (how_.workers > 0) return how_.workers;
    int largest = 1;
    for (const auto& one : plan_.cases) largest = std::max(largest, one.ranks);
    const int available = available_processors();
    if (largest > available)
      throw ConfigurationError(
          "cases of this sweep ask for {} ranks, and there {}; lower sweep.ranks, or say --workers 1 to put more ranks "
          "on a processor",
          largest, available == 1 ? "is 1 processor" : fmt::format("are {} processors", available));
    return available / largest;
  }

  bool is_finished() const { return workers_.empty() && (stopping_ || over_ == plan_.cases.size()); }

  /// What others may change at any time, as of now. Large ledgers are looked at less often.
  void look() {
    const auto begin = Clock::now();
    const auto survey = ledger_.survey();
    std::map<int, std::size_t> unfinished;
    std::map<int, std::size_t> waiting;
    std::map<int, std::size_t> paused;
    bool may_change = false;
    std::size_t over = 0;
    if (halving_) halving_->update();
    for (const auto& one : plan_.cases) {
      const auto found = survey.find(one.id);
      const auto state = found == survey.end() ? CaseState{} : found->second;
      if (state.done) {
        ++over;
        tell_end_of(one, state.retried);
        continue;
      }
      ++unfinished[one.ranks];
      if (halving_) may_change = may_change || halving_->will_report(one.id, state);
      if (halving_ && halving_->is_paused(one.id, state)) {
        ++paused[one.ranks];
      } else if (state.waiting()) {
        ++waiting[one.ranks];
      }
    }
    // Those at a rung need nobody before a report lets them go on, or none can come any more.
    if (!may_change)
      for (const auto& [ranks, count] : paused) waiting[ranks] += count;
    if (over != over_) setbacks_ = 0;
    over_ = over;
    unfinished_ = std::move(unfinished);
    waiting_ = std::move(waiting);
    last_look_ = Clock::now();
    pause_ = std::max(least_between_looks, seconds_since(begin) / share_of_looking);
    first_look_ = false;
  }

  void tell_end_of(const Case& one, std::int64_t retried) {
    if (!told_.insert(one.id).second) return;
    const auto outcome = ledger_.outcome(one.id, retried);
    if (!outcome || outcome->status == Status::done || outcome->status == Status::halted) return;
    ++not_done_;
    if (first_look_) return;
    console_.warn("case {} {} ({}): {}", one.id, name_of(outcome->status), description_of(one),
                  outcome->message.substr(0, outcome->message.find('\n')));
  }

  std::string note() const {
    auto text = fmt::format("{} of {} over", over_, plan_.cases.size());
    if (not_done_ > 0) text += fmt::format(", {} of them not done", not_done_);
    return text;
  }

  std::size_t workers_of(int ranks) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(workers_, [&](const Worker& worker) { return worker.ranks == ranks; }));
  }

  /// Large groups first. What a worker held that died is held still: another one takes its place and finds the case.
  /// When all that is left is held by others, who may be dead, one worker looks after them now and then: it ends at
  /// once when they live.
  void start_children() {
    for (auto size = waiting_.rbegin(); size != waiting_.rend(); ++size)
      while (std::cmp_less(workers_.size(), most_workers_) && workers_of(size->first) < size->second)
        start(size->first);
    for (auto& [ranks, count] : lost_)
      for (; count > 0 && std::cmp_less(workers_.size(), most_workers_); --count)
        if (unfinished_.contains(ranks) && workers_of(ranks) < unfinished_.at(ranks)) start(ranks);
    if (!workers_.empty() || unfinished_.empty() || seconds_since(last_start_) < plan_.stale_after / 4) return;
    start(unfinished_.rbegin()->first);
  }

  void start(int ranks) {
    auto words = launcher_of(ranks);
    for (const auto& word : {how_.program.string(), std::string("sweep"), std::string("work"), plan_.directory.string(),
                             std::string("--ranks"), std::to_string(ranks)})
      words.push_back(word);
    if (how_.wall_time > 0) {
      words.emplace_back("--wall-time");
      words.push_back(fmt::format("{:.3f}", std::max(0.001, how_.wall_time - seconds_since(start_))));
    }
    const auto log = logs() / fmt::format("{}-{}-{}.log", Owner::myself().host, ::getpid(), ++started_);
    workers_.push_back({Child(words, log), ranks, log});
    last_start_ = Clock::now();
  }

  void collect_children() {
    for (auto& worker : workers_) {
      const auto code = worker.child.ended();
      if (!code || *code == static_cast<int>(ExitCode::done)) continue;
      if (*code == static_cast<int>(ExitCode::stopped)) {
        any_stopped_ = true;
      } else if (!stopping_) {
        note_death(worker, *code);
      }
    }
    if (std::erase_if(workers_, [](Worker& worker) { return worker.child.ended().has_value(); }) > 0) {
      look();
      look_at_plan();
    }
  }

  /// New workers would read another plan than ours, and perhaps find none of our cases.
  void look_at_plan() {
    std::error_code gone;
    const auto written = std::filesystem::last_write_time(plan_path(plan_.directory), gone);
    if (gone || std::exchange(plan_written_, written) == written) return;
    if (const auto contradiction = contradiction_on_disk(plan_); !contradiction.empty())
      given_up_ = contradiction + "; run one sweep file after the other, or give each a directory";
  }

  void note_death(const Worker& worker, int code) {
    const auto how =
        code > 128 ? fmt::format("was killed by signal {}", code - 128) : fmt::format("ended with {}", code);
    const auto last = last_line_of(worker.log);
    if (++setbacks_ > most_setbacks + setbacks_of_a_worker * most_workers_) {
      given_up_ = fmt::format("workers end again and again without a case being over; the last one {}: {}\nsee {}", how,
                              last.empty() ? "it said nothing; is the disk full?" : last, worker.log.string());
      return;
    }
    ++lost_[worker.ranks];
    console_.warn("a worker {}; another one takes its place{}{}", how, last.empty() ? "" : ": ", last);
  }

  bool must_stop() const {
    return parallel::StopSignals::pending() != stop_signal_ || ((any_stopped_ || !given_up_.empty()) && !stopping_);
  }

  void stop_all() {
    stop_signal_ = parallel::StopSignals::pending();
    if (!stopping_)
      console_.info("stopping {} workers with checkpoints{}", workers_.size(),
                    stop_signal_ != 0 ? fmt::format(" (signal {})", stop_signal_) : "");
    stopping_ = true;
    for (const auto& worker : workers_) worker.child.send(SIGUSR1);  // the one that mpirun and srun hand on
  }

  ExitCode conclude() {
    look();
    if (over_ < plan_.cases.size()) {
      if (!given_up_.empty()) throw InputOutputError("{}", given_up_);
      console_.info("stopped with {} of {} cases over; the same command continues", over_, plan_.cases.size());
      return ExitCode::stopped;
    }
    if (not_done_ > 0) {
      console_.warn("{} of {} cases are not done; `rankflow sweep status {}` says why", not_done_, plan_.cases.size(),
                    plan_.directory.string());
    } else {
      console_.info("all {} cases are done", plan_.cases.size());
    }
    return ExitCode::done;
  }

  const Plan& plan_;
  const Supervision& how_;
  Console& console_;
  Ledger ledger_;
  std::optional<HalvingRecord> halving_;
  int most_workers_;
  std::vector<Worker> workers_;
  std::unordered_set<std::string> told_;             ///< cases whose end was reported
  std::map<int, std::size_t> unfinished_, waiting_;  ///< cases by their ranks
  std::map<int, std::size_t> lost_;                  ///< workers that died and were not replaced, by their ranks
  std::string given_up_;                             ///< why no more workers are started
  std::filesystem::file_time_type plan_written_ = {};
  std::size_t over_ = 0;
  std::size_t not_done_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_look_ = start_;
  Clock::time_point last_start_ = start_ - std::chrono::hours(1);
  double pause_ = 0;
  int started_ = 0;
  int setbacks_ = 0;
  int stop_signal_ = 0;
  bool first_look_ = true;
  bool any_stopped_ = false;
  bool stopping_ = false;
};

}  // namespace

ExitCode supervise(const Plan& plan, const Supervision& how, Console& console) {
  const parallel::StopSignals signals;
  return Supervisor(plan, how, console).run();
}

}  // namespace rankflow::sweep
