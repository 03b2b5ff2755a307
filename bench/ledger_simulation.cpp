// A ledger under many workers and cases: what is asked of the file system for each case, and how long a claim takes.
//   ledger_simulation FOLDER CASES WORKERS
// The workers take turns at random in one process; the cases take no time. FOLDER (best in memory: /dev/shm) must
// exist.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>

#include "core/error.hpp"
#include "sweep/case_queue.hpp"

using namespace rankflow;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

sweep::Plan plan_of(const std::filesystem::path& folder, std::size_t cases) {
  sweep::Plan plan;
  plan.directory = folder;
  plan.cases.resize(cases);
  for (std::size_t i = 0; i < cases; ++i) plan.cases[i].id = sweep::case_id("none", std::to_string(i));
  return plan;
}

struct Worker {
  explicit Worker(const sweep::Plan& plan) : ledger(plan.directory), queue(plan, ledger, 0) {}
  sweep::Ledger ledger;
  sweep::CaseQueue queue;
  bool ended = false;
};

/// Counts and times of one kind of request.
struct Cost {
  double operations = 0;
  double seconds = 0;
  double times = 0;

  template <class Action>
  auto measure(const sweep::Ledger& ledger, Action&& action) {
    const auto before = ledger.metadata_operations();
    const auto start = Clock::now();
    auto result = action();
    seconds += seconds_since(start);
    operations += static_cast<double>(ledger.metadata_operations() - before);
    times += 1;
    return result;
  }
  void print(const char* what) const {
    std::printf("%-34s %8.0f times  %8.1f operations  %8.3f ms each\n", what, times, operations / std::max(times, 1.0),
                1e3 * seconds / std::max(times, 1.0));
  }
};

void simulate(const sweep::Plan& plan, std::size_t count) {
  std::deque<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < count; ++i) workers.push_back(std::make_unique<Worker>(plan));
  std::mt19937 random(1);
  Cost first_look;
  Cost early;
  Cost late;
  Cost last_look;
  Cost record;
  std::size_t claimed = 0;
  std::vector<bool> began(count, false);
  for (std::size_t running = count; running > 0;) {
    const auto number = random() % count;
    auto& worker = *workers[number];
    if (worker.ended) continue;
    const bool near_the_end = claimed + 2 * count > plan.cases.size();
    auto& cost = !began[number]                    ? first_look
                 : near_the_end                    ? last_look
                 : 2 * claimed < plan.cases.size() ? early
                                                   : late;
    began[number] = true;
    const auto next = cost.measure(worker.ledger, [&] { return worker.queue.next(); });
    if (const auto* claim = std::get_if<sweep::Claim>(&next)) {
      ++claimed;
      record.measure(worker.ledger, [&] {
        return worker.ledger.finish(plan.cases[claim->index].id, claim->session, sweep::Outcome{});
      });
    } else {
      worker.ended = true;
      --running;
    }
  }
  first_look.print("first claim of a worker, with look");
  early.print("claims in the first half");
  late.print("claims in the second half");
  last_look.print("last ones, with looks at all");
  record.print("records");
  const double all =
      first_look.operations + early.operations + late.operations + last_look.operations + record.operations;
  Cost survey;
  sweep::Ledger ledger(plan.directory);
  const auto found = survey.measure(ledger, [&] { return ledger.survey(); });
  survey.print("one look at all");
  const auto done = std::ranges::count_if(found, [](const auto& entry) { return entry.second.done; });
  std::printf("%zu claims, %td done, %.1f operations per case in all\n", claimed, done,
              all / static_cast<double>(plan.cases.size()));
  if (claimed != plan.cases.size() || std::cmp_not_equal(done, plan.cases.size()))
    throw InternalError("{} cases, {} claimed, {} done", plan.cases.size(), claimed, done);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("ledger_simulation FOLDER CASES WORKERS\n", stderr);
    return EXIT_FAILURE;
  }
  const auto folder = std::filesystem::path(argv[1]) / "ledger_simulation";
  try {
    std::filesystem::create_directory(folder);
    simulate(plan_of(folder, std::strtoull(argv[2], nullptr, 10)), std::strtoull(argv[3], nullptr, 10));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
  }
  std::filesystem::remove_all(folder);
  return EXIT_SUCCESS;
}
