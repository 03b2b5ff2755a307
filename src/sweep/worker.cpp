#include "sweep/worker.hpp"

#include <array>
#include <chrono>
#include <set>
#include <thread>

#include "parallel/batch_job.hpp"
#include "parallel/stop_signals.hpp"

namespace rankflow::sweep {
namespace {

constexpr double seconds_between_looks = 0.2;  ///< at signals, while waiting

class Worker {
 public:
  Worker(const Workplace& at, const WorkLimits& limits)
      : at_(at), limits_(limits), queue_(at.plan, at.ledger, at.group.size()) {}

  ExitCode run() {
    while (true) {
      const auto [order, claim] = agree_on(is_time_up() ? Decision{Order::stop, {}} : decide());
      if (order == Order::stop) return ExitCode::stopped;
      if (order == Order::end) return ExitCode::done;
      if (order == Order::wait) {
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds_between_looks));
      } else if (run_session(at_, claim, limit_of_case()) == SessionEnd::stopped) {
        return ExitCode::stopped;
      }
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Order : std::int64_t { run, wait, end, stop };
  struct Decision {
    Order order = Order::end;
    Claim claim;
  };

  /// On every rank the same, also when the signal reached one only.
  bool is_time_up() const {
    const auto job = parallel::work_seconds_left_in_job();
    return at_.group.any(parallel::StopSignals::pending() != 0 || (job && *job <= 0) ||
                         (limits_.wall_time > 0 && seconds_left() <= 0));
  }

  double seconds_left() const {
    return std::max(0.0, limits_.wall_time - std::chrono::duration<double>(Clock::now() - start_).count());
  }

  /// 0 when there is none.
  double limit_of_case() const {
    constexpr double shortest = 1e-3;
    return limits_.wall_time > 0 ? std::max(seconds_left(), shortest) : 0;
  }

  /// Of rank 0, who alone looks at the ledger.
  Decision decide() {
    if (!at_.group.is_root()) return {};
    if (Clock::now() < ask_again_) return {Order::wait, {}};
    const auto next = queue_.next();
    if (const auto* claim = std::get_if<Claim>(&next)) return {Order::run, *claim};
    if (const auto* doubt = std::get_if<Doubt>(&next)) {
      ask_again_ =
          Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(doubt->seconds));
      return {Order::wait, {}};
    }
    return {Order::end, {}};
  }

  Decision agree_on(const Decision& mine) const {
    std::array<std::int64_t, 7> words{static_cast<std::int64_t>(mine.order),
                                      static_cast<std::int64_t>(mine.claim.index),
                                      mine.claim.session,
                                      mine.claim.deaths,
                                      mine.claim.retried,
                                      static_cast<std::int64_t>(mine.claim.aim),
                                      mine.claim.epochs};
    at_.group.broadcast(std::span<std::int64_t>(words));
    return {static_cast<Order>(words[0]),
            {.index = static_cast<std::size_t>(words[1]),
             .session = words[2],
             .deaths = words[3],
             .retried = words[4],
             .aim = static_cast<Aim>(words[5]),
             .epochs = words[6]}};
  }

  const Workplace& at_;
  WorkLimits limits_;
  CaseQueue queue_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point ask_again_ = start_;
};

std::set<int, std::greater<>> sizes_of(const Plan& plan, int only) {
  std::set<int, std::greater<>> sizes;
  for (const auto& one : plan.cases)
    if (only == 0 || one.ranks == only) sizes.insert(one.ranks);
  return sizes;
}

}  // namespace

ExitCode work(const Workplace& at, const WorkLimits& limits) {
  const parallel::StopSignals signals;
  return Worker(at, limits).run();
}

ExitCode work_in_groups(const Plan& plan, const Runner& runner, const parallel::Communicator& world, Console& console,
                        const WorkLimits& limits) {
  const auto sizes = sizes_of(plan, limits.ranks);
  if (!sizes.empty() && *sizes.begin() > world.size())
    throw ConfigurationError(
        "cases of this sweep ask for {} ranks, and there {}: start it with mpirun -n {} or more, or lower sweep.ranks",
        *sizes.begin(), world.size() == 1 ? "is 1" : fmt::format("are {}", world.size()), *sizes.begin());
  const parallel::StopSignals signals;  // also between the groups' work
  const auto start = std::chrono::steady_clock::now();
  Ledger ledger(plan.directory);
  for (const int size : sizes) {
    const int groups = world.size() / size;
    if (world.size() % size != 0)
      console.info("{} of {} ranks are idle: groups of {}", world.size() % size, world.size(), size);
    const auto group = world.split(world.rank() / size);
    ExitCode code = ExitCode::done;
    if (world.rank() / size < groups) {
      Console speaking(group.is_root(), console.quiet());
      auto left = limits;
      if (left.wall_time > 0)
        left.wall_time -= std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      code = work({plan, ledger, runner, group, speaking}, left);
    }
    if (world.any(code == ExitCode::stopped)) return ExitCode::stopped;
  }
  return ExitCode::done;
}

}  // namespace rankflow::sweep
