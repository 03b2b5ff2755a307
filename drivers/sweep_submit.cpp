#include <algorithm>

#include <fmt/ranges.h>

#include "arguments.hpp"
#include "sweep/command.hpp"
#include "sweep/ledger.hpp"
#include "sweep/make_plan.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/retry.hpp"
#include "sweep/submission.hpp"

namespace rankflow::drivers {
namespace {

/// From a sweep file, or as planned in a directory.
sweep::Plan find_plan(const Arguments& arguments) {
  if (!std::filesystem::is_directory(arguments.input))
    return sweep::make_plan(arguments.input, arguments.sets, arguments.output);
  if (!arguments.sets.empty())
    throw ConfigurationError("--set changes a sweep file, but '{}' is the directory of a sweep; name the file",
                             arguments.input);
  return sweep::read_plan(arguments.input);
}

/// How much of the plan is left to do, or to do again.
sweep::Extent extent_of(const sweep::Plan& plan, const std::vector<sweep::Retrial>& again) {
  sweep::Extent extent{.directory = plan.directory, .program = std::filesystem::read_symlink("/proc/self/exe")};
  if (sweep::has_program("scontrol"))
    extent.most_tasks =
        sweep::most_array_tasks(sweep::run_command({"scontrol", "show", "config"}).output, extent.most_tasks);
  sweep::Survey known;
  if (std::filesystem::is_directory(plan.directory)) known = sweep::Ledger(plan.directory).survey();
  for (const auto& one : plan.cases) {
    const auto found = known.find(one.id);
    if (found != known.end() && found->second.done && !std::ranges::count(again, one.id, &sweep::Retrial::id)) continue;
    ++extent.unfinished;
    extent.ranks = std::max(extent.ranks, one.ranks);
  }
  return extent;
}

/// The number of the job that a command submitted. Throws when it was refused; SLURM has said why.
std::string submit(const std::vector<std::string>& command) {
  const auto finished = sweep::run_command(command);
  auto number = finished.output.substr(0, finished.output.find_first_not_of("0123456789"));
  if (finished.exit_code != 0 || number.empty())
    throw ConfigurationError(
        "SLURM did not take the job (see above): {}\nchange what it asks for in [sweep.submit], sweep.ranks or the "
        "cluster profile (docs/slurm.md), and submit again",
        fmt::join(command, " "));
  return number;
}

void print(const sweep::Submission& submission, Console& console) {
  for (const auto& [name, text] : submission.files())
    if (name.ends_with(".sbatch")) console.print(fmt::format("{}:\n{}", (submission.folder() / name).string(), text));
  console.print(fmt::format("{}", fmt::join(submission.work_command({"--parsable"}), " ")));
}

}  // namespace

ExitCode sweep_submit(const Arguments& arguments, const Surroundings& surroundings) {
  auto& console = surroundings.console;
  if (surroundings.comm.size() > 1)
    throw ConfigurationError("sweep submit hands work to SLURM and takes one process; run it without mpirun or srun");
  const auto plan = find_plan(arguments);
  const auto again = sweep::cases_to_retry(plan, arguments.retry);
  auto settled = plan;
  sweep::set_measured_ranks(settled, sweep::recorded_ranks(plan, 0));
  const auto extent = extent_of(settled, again);
  if (extent.unfinished == 0) {
    console.info("all {} cases of {} are over; nothing to submit (see sweep status, sweep collect)", plan.cases.size(),
                 plan.directory.string());
    return ExitCode::done;
  }
  const sweep::Submission submission(extent, plan.submit);
  if (submission.tasks() < submission.tasks_wanted())
    console.info("{} tasks instead of {}: the cluster allows no more in an array (MaxArraySize); they share the cases",
                 submission.tasks(), submission.tasks_wanted());
  if (arguments.dry_run) {
    print(submission, console);
    return ExitCode::done;
  }
  if (!sweep::has_program("sbatch"))
    throw ConfigurationError(
        "no SLURM here: sbatch is not in PATH. Submit from the cluster's front end, or run the sweep on this machine: "
        "rankflow sweep run {}",
        arguments.input);
  if (const auto damage = sweep::write_plan(plan); !damage.empty()) console.warn("{}: done", damage);
  if (!again.empty()) console.info("{} of {} cases begin again", sweep::retry(plan, again), plan.cases.size());
  submission.write_files();
  const auto array = submit(submission.work_command({"--parsable"}));
  console.info("submitted job array {}: {} of {} cases in {} tasks", array, extent.unfinished, plan.cases.size(),
               submission.tasks());
  if (plan.submit.collect) {
    const auto job = submit(submission.collect_command({"--parsable", "--dependency=afterany:" + array}));
    console.info("submitted job {}: results go to {} when the array has ended", job,
                 (plan.directory / "results.h5").string());
  }
  return ExitCode::done;
}

}  // namespace rankflow::drivers
