// A sweep whose cases sleep instead of computing: shows the queue's own behaviour on a machine that is busy.
//   sleeping_cases plan DIRECTORY SECONDS…   plans one case for each number of seconds
//   sleeping_cases work DIRECTORY            works on them in groups, prints one line "CASE START END RANK" for each
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "parallel/failure_guard.hpp"
#include "parallel/halt_monitor.hpp"
#include "sweep/worker.hpp"

using namespace rankflow;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void make_plan(const std::string& directory, int count, char** seconds) {
  sweep::Plan plan;
  plan.directory = directory;
  plan.source = directory + ".toml";
  for (int i = 0; i < count; ++i) {
    const auto text = fmt::format("number = {}\nseconds = {}\n", i, seconds[i]);
    plan.cases.push_back({.id = sweep::case_id("sleep", text),
                          .driver = "sleep",
                          .varied = {{"number", std::to_string(i)}},
                          .seed = std::strtol(seconds[i], nullptr, 10),
                          .ranks = 1,
                          .configuration = text});
  }
  sweep::write_plan(plan);
}

ExitCode work(const std::string& directory, const parallel::Communicator& world) {
  const auto rank = world.rank();
  const sweep::Runner runner{.run =
                                 [rank](const sweep::Task& task, const parallel::Communicator& comm, Console&) {
                                   parallel::HaltMonitor halt(comm, {});
                                   const auto& text = task.one.configuration;
                                   const double seconds = std::strtod(text.c_str() + text.rfind('=') + 1, nullptr);
                                   const double start = now();
                                   while (now() < start + seconds) {
                                     if (halt.poll() == parallel::Halt::stop) return ExitCode::stopped;
                                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                                   }
                                   std::printf("%s %.6f %.6f %d\n", task.one.varied[0].second.c_str(), start, now(),
                                               rank);
                                   return ExitCode::done;
                                 },
                             .metrics = [](const sweep::Task&) { return std::map<std::string, double>{}; }};
  Console console(world.is_root(), true);
  return sweep::work_in_groups(sweep::read_plan(directory), runner, world, console, {});
}

}  // namespace

int main(int argc, char** argv) {
  const parallel::Environment environment(argc, argv);
  if (argc < 3) return EXIT_FAILURE;
  const auto guard = environment.world();
  const auto world = environment.world();
  const std::string what = argv[1];
  return parallel::run_guarded(
      guard,
      [&] {
        if (what == "work") return work(argv[2], world);
        make_plan(argv[2], argc - 3, argv + 3);
        return ExitCode::done;
      },
      [](const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); });
}
