#include <chrono>
#include <cstdio>
#include <thread>

#include <unistd.h>

#include "arguments.hpp"
#include "sweep/progress.hpp"

namespace rankflow::drivers {
namespace {

/// On a terminal the text takes the place of the earlier one; in a log it follows when it is another.
void watch(const sweep::Plan& plan, sweep::Results& results, Console& console) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  std::string shown;
  while (true) {
    const auto& cases = results.look();
    auto text = sweep::status_text(plan, cases);
    if (terminal) {
      console.print("\x1b[H\x1b[2J" + text);
    } else if (text != shown) {
      console.print(text);
    }
    std::fflush(stdout);
    if (sweep::progress_of(cases).over()) return;
    shown = std::move(text);
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

}  // namespace

ExitCode sweep_status(const Arguments& arguments, const Surroundings& surroundings) {
  if (surroundings.comm.size() > 1)
    throw ConfigurationError("sweep status looks at a directory and takes one process; run it without mpirun or srun");
  const auto plan = sweep::read_plan(arguments.input);
  sweep::Results results(plan);
  if (arguments.watch) {
    watch(plan, results, surroundings.console);
  } else {
    surroundings.console.print(sweep::status_text(plan, results.look()));
  }
  return ExitCode::done;
}

}  // namespace rankflow::drivers
