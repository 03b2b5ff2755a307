// The program `rankflow`: reads the command line and hands over to one driver.
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>

#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "arguments.hpp"
#include "core/suggestion.hpp"
#include "parallel/failure_guard.hpp"

namespace {

using namespace rankflow;
using Driver = std::function<ExitCode(const drivers::Arguments&, const drivers::Surroundings&)>;

constexpr std::int64_t most_neurons = 100'000'000'000;

/// The command line: which driver was chosen, and what it was given.
struct CommandLine {
  CLI::App app{"Simulates and infers low-dimensional dynamics of large neural populations.", "rankflow"};
  drivers::Arguments arguments;
  bool quiet = false;
  Driver driver;
};

void add_job(CommandLine& line, CLI::App& parent, const std::string& name, const std::string& what, Driver driver,
             bool resumable) {
  auto* command = parent.add_subcommand(name, what);
  command->add_option("config", line.arguments.input, "configuration file (TOML)")->required();
  command->add_option("-o,--output", line.arguments.output, "result file (HDF5); default: the configuration's name");
  command->add_option("--set", line.arguments.sets, "table.key=value, overrides the configuration; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--dry-run", line.arguments.dry_run,
                    "check everything, print the resolved configuration, memory per rank and file size; do nothing");
  if (resumable) {
    command->add_flag("--resume", line.arguments.resume, "continue from the last checkpoint, on any number of ranks");
    command->add_flag("--overwrite", line.arguments.overwrite, "discard an unfinished run of the same output");
  }
  command->callback([&line, driver = std::move(driver)] { line.driver = driver; });
}

void add_populations(CommandLine& line, CLI::App& analyze) {
  auto* command =
      analyze.add_subcommand("populations", "populations of neurons, and the dynamics without each of them");
  command->add_option("network", line.arguments.input, "file with a network: network, fit or run")->required();
  command->add_option("-o,--output", line.arguments.output, "result file (HDF5); default: none, the table is printed");
  command->add_option("--resample", line.arguments.resample, "draw a network of so many neurons from the populations")
      ->check(CLI::Range(std::int64_t{1}, most_neurons));
  command->add_option("--resampled", line.arguments.resampled,
                      "file of the network drawn; default: NETWORK_resampled.h5");
  command->add_option("--set", line.arguments.sets, "table.key=value; may be repeated")->allow_extra_args(false);
  command->footer(drivers::analyze_populations_keys());
  command->callback([&line] { line.driver = drivers::analyze_populations; });
}

void add_analyses(CommandLine& line, CLI::App& app) {
  auto* analyze = app.add_subcommand("analyze", "what a network does, without simulating it");
  analyze->require_subcommand(1);
  auto* command = analyze->add_subcommand("fixed-points", "fixed points and cycles of the latent dynamics");
  command->add_option("network", line.arguments.input, "file with a network: network, fit or run")->required();
  command->add_option("-o,--output", line.arguments.output, "result file (HDF5); default: none, the table is printed");
  command->add_option("--set", line.arguments.sets, "table.key=value; may be repeated")->allow_extra_args(false);
  command->add_flag("--dry-run", line.arguments.dry_run, "say how much work it is; do nothing");
  command->footer(drivers::analyze_fixed_points_keys());
  command->callback([&line] { line.driver = drivers::analyze_fixed_points; });
  auto* required = analyze->add_subcommand("identifiability", "which part of a connectivity the data require");
  required->add_option("network", line.arguments.input, "file with a network: network, run, fit or flow")->required();
  required->add_option("data", line.arguments.data,
                       "run or array of latents (z.npy, data.h5:/z); for a fit: a recording; default: the file's own");
  required->add_option("-o,--output", line.arguments.output,
                       "result file (HDF5); default: none, the report is printed");
  required->add_option("--set", line.arguments.sets, "table.key=value; may be repeated")->allow_extra_args(false);
  required->footer(drivers::analyze_identifiability_keys());
  required->callback([&line] { line.driver = drivers::analyze_identifiability; });
  add_populations(line, *analyze);
}

void add_compare(CommandLine& line, CLI::App& app) {
  auto* command = app.add_subcommand("compare", "distances between the connectivities of two networks");
  command->add_option("first", line.arguments.input, "file with a network (network, fit or run): the truth")
      ->required();
  command->add_option("second", line.arguments.data, "file with the network that is judged")->required();
  command->add_option("-o,--output", line.arguments.output, "result file (HDF5); default: none, the table is printed");
  command->add_option("--set", line.arguments.sets, "table.key=value; may be repeated")->allow_extra_args(false);
  command->footer(drivers::compare_keys());
  command->callback([&line] { line.driver = drivers::compare; });
}

void add_filter(CommandLine& line, CLI::App& app) {
  auto* command = app.add_subcommand("filter", "what a fit says about data: likelihood, latents, forecasts");
  command->add_option("fit", line.arguments.input, "fit file")->required();
  command->add_option("data", line.arguments.data,
                      "recording file, or the observations in another file (eeg.h5:/signal); default: what was fitted");
  command->add_option("-o,--output", line.arguments.output, "result file (HDF5); default: FIT_filtered.h5");
  command->add_option("--particles", line.arguments.particles, "particles for each trial; default: as in the fit");
  command->add_option("--set", line.arguments.sets, "table.key=value; may be repeated")->allow_extra_args(false);
  command->add_flag("--dry-run", line.arguments.dry_run, "say how much work it is; do nothing");
  command->callback([&line] { line.driver = drivers::filter; });
}

void add_flows(CommandLine& line, CLI::App& app, CLI::App& fit) {
  add_job(line, fit, "flow", "the distribution of connectivity that keeps given latent dynamics, by flow matching",
          drivers::fit_flow, true);
  auto* flow = fit.get_subcommand("flow");
  flow->get_option("config")->required(false);
  flow->add_option("--from", line.arguments.from,
                   "fit file whose loadings and latents are taken; with or without "
                   "a configuration file");
  auto* sample = app.add_subcommand("sample", "draw a network of any size from a flow file");
  sample->add_option("flow", line.arguments.input, "flow file")->required();
  sample->add_option("-o,--output", line.arguments.output, "network file (HDF5); default: FLOW_network.h5");
  sample->add_option("--neurons", line.arguments.neurons, "neurons of the network; default: 1000");
  sample->add_option("--seed", line.arguments.seed, "seed of the draws; default: 1");
  sample->add_flag("--conditional-mean", line.arguments.conditional_mean,
                   "solve for n given the m, b, d that were drawn, instead of drawing it");
  sample->add_option("--set", line.arguments.sets, "table.key=value; may be repeated")->allow_extra_args(false);
  sample->add_flag("--dry-run", line.arguments.dry_run, "say how much work it is; do nothing");
  sample->callback([&line] { line.driver = drivers::sample; });
}

void add_sweeps(CommandLine& line, CLI::App& app) {
  auto* sweep = app.add_subcommand("sweep", "many runs of one driver that differ in some keys");
  sweep->require_subcommand(1);
  const auto add_wall_time = [&line](CLI::App& command) {
    command
        .add_option("--wall-time", line.arguments.wall_time, "s after which to stop with checkpoints (exit code 75)")
        ->check(CLI::PositiveNumber);
  };
  const auto add_retry = [&line](CLI::App& command) {
    command.add_option("--retry", line.arguments.retry, "cases that are over as failed, timeout or dead begin again")
        ->delimiter(',')
        ->allow_extra_args(false);
  };
  auto* plan = sweep->add_subcommand("plan", "how many cases, what differs, how large; nothing is written or run");
  plan->add_option("sweep", line.arguments.input, "sweep file (TOML)")->required();
  plan->add_option("-o,--output", line.arguments.output, "directory of the sweep; default: as the file says");
  plan->add_option("--set", line.arguments.sets, "sweep.key=value; may be repeated")->allow_extra_args(false);
  plan->callback([&line] { line.driver = drivers::sweep_plan; });
  const auto add_group = [&](const char* name, const char* description) {
    auto* command = sweep->add_subcommand(name, description);
    command->add_option("sweep", line.arguments.input, "sweep file (TOML), or the directory of a sweep")->required();
    command->add_option("-o,--output", line.arguments.output, "directory of the sweep; default: as the file says");
    command->add_option("--set", line.arguments.sets, "sweep.key=value; may be repeated")->allow_extra_args(false);
    command->add_option("--workers", line.arguments.workers, "cases at once; default: as many as the processors allow")
        ->check(CLI::PositiveNumber);
    add_wall_time(*command);
    return command;
  };
  auto* run = add_group("run", "run the unfinished cases, here or inside an allocation");
  add_retry(*run);
  run->callback([&line] { line.driver = drivers::sweep_run; });
  auto* measure = add_group("measure", "how many ranks a case should have here (sweep.ranks = \"measured\")");
  measure->add_flag("--here", line.arguments.here, "on these ranks; start no others");
  measure->callback([&line] { line.driver = drivers::sweep_measure; });
  auto* work = sweep->add_subcommand("work", "take unfinished cases until none is left: what jobs of a sweep run");
  work->add_option("directory", line.arguments.input, "directory of a sweep that was planned")->required();
  work->add_option("--ranks", line.arguments.ranks, "only cases that ask for so many ranks")
      ->check(CLI::PositiveNumber);
  add_wall_time(*work);
  add_retry(*work);
  work->callback([&line] { line.driver = drivers::sweep_work; });
  auto* status = sweep->add_subcommand("status", "done, running, waiting, failed (why), time left, best so far");
  status->add_option("directory", line.arguments.input, "directory of a sweep")->required();
  status->add_flag("--watch", line.arguments.watch, "look again every two seconds until all cases are over");
  status->callback([&line] { line.driver = drivers::sweep_status; });
  auto* collect = sweep->add_subcommand("collect", "one table of all results (HDF5 and CSV), ranking, best curve");
  collect->add_option("directory", line.arguments.input, "directory of a sweep")->required();
  collect->add_option("-o,--output", line.arguments.output, "table (HDF5; CSV beside it); default: results.h5 in it");
  collect->callback([&line] { line.driver = drivers::sweep_collect; });
  auto* submit = sweep->add_subcommand("submit", "hand the unfinished cases to SLURM as a job array");
  submit->add_option("sweep", line.arguments.input, "sweep file (TOML), or the directory of a sweep")->required();
  submit->add_option("-o,--output", line.arguments.output, "directory of the sweep; default: as the file says");
  submit->add_option("--set", line.arguments.sets, "sweep.key=value; may be repeated")->allow_extra_args(false);
  submit->add_flag("--dry-run", line.arguments.dry_run, "print the job scripts; write and submit nothing");
  add_retry(*submit);
  submit->callback([&line] { line.driver = drivers::sweep_submit; });
}

void describe(CommandLine& line) {
  auto& app = line.app;
  app.set_version_flag("--version", drivers::version_text(), "version, git hash and libraries");
  app.add_flag("-q,--quiet", line.quiet, "only warnings and errors");
  app.require_subcommand(1);
  app.fallthrough();
  add_job(line, app, "simulate", "simulate a network", drivers::simulate, true);
  auto* generate = app.add_subcommand("generate", "make synthetic data");
  generate->require_subcommand(1);
  add_job(line, *generate, "recording", "a synthetic recording with its ground truth", drivers::generate_recording,
          true);
  add_job(line, *generate, "network", "a network file: drawn, or taken from arrays", drivers::generate_network, false);
  auto* import = app.add_subcommand("import", "bring foreign data into Rankflow's files");
  import->require_subcommand(1);
  add_job(line, *import, "recording", "a recording from .npy, .npz or HDF5 data sets", drivers::import_recording,
          false);
  auto* evaluate = app.add_subcommand("evaluate", "fit statistics: generated series compared with data");
  evaluate->add_option("generated", line.arguments.input, "a run with observations, or a recording")->required();
  evaluate->add_option(
      "data", line.arguments.data,
      "recording file, or the observations in another file (eeg.h5:/signal); default: data.* of --set");
  evaluate->add_option("-o,--output", line.arguments.output, "result file (HDF5); default: none, the table is printed");
  evaluate->add_option("--set", line.arguments.sets, "evaluate.key=value or data.key=value; may be repeated")
      ->allow_extra_args(false);
  evaluate->callback([&line] { line.driver = drivers::evaluate; });
  auto* fit = app.add_subcommand("fit", "fit a network to a recording, or a distribution of networks to latents");
  fit->require_subcommand(1);
  add_job(line, *fit, "vsmc", "a stochastic low-rank network, by variational sequential Monte Carlo", drivers::fit_vsmc,
          true);
  add_flows(line, app, *fit);
  add_filter(line, app);
  add_analyses(line, app);
  add_compare(line, app);
  add_sweeps(line, app);
  auto* inspect = app.add_subcommand("inspect", "what is in a file, in words");
  inspect->add_option("file", line.arguments.input, "a Rankflow file or any other HDF5 file")->required();
  inspect->callback([&line] { line.driver = drivers::inspect; });
  app.add_subcommand("reference", "print the reference of all configuration keys (Markdown)")->callback([&line] {
    line.driver = [](const drivers::Arguments&, const drivers::Surroundings& here) { return drivers::reference(here); };
  });
}

/// "'simulte' is no subcommand of rankflow. Did you mean 'simulate'?", or empty when a word is not the trouble.
std::string unknown_subcommand(const CLI::App& app) {
  const CLI::App* innermost = &app;
  while (!innermost->get_subcommands().empty()) innermost = innermost->get_subcommands().front();
  const auto words = app.remaining(true);
  std::vector<std::string> names;
  for (const auto* command : innermost->get_subcommands(nullptr)) names.push_back(command->get_name());
  if (words.empty() || names.empty() || words.front().starts_with('-')) return {};
  return fmt::format("'{}' is no subcommand of {}; known: {}.{}\n", words.front(), innermost->get_name(),
                     fmt::join(names, ", "), did_you_mean(words.front(), names));
}

/// Exit code when the program has to end here: help, version, or a mistake in the command line.
std::optional<int> parse(CommandLine& line, int argc, char** argv, bool speaking) {
  try {
    line.app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::ostream silent(nullptr);
    if (speaking && error.get_exit_code() != 0) std::cerr << unknown_subcommand(line.app);
    const int code = line.app.exit(error, speaking ? std::cout : silent, speaking ? std::cerr : silent);
    return code == 0 ? 0 : static_cast<int>(ExitCode::configuration);
  }
}

int run(int argc, char** argv) {
  const parallel::Environment environment(argc, argv);
  const auto guard = environment.world();
  const auto comm = environment.world();
  CommandLine line;
  describe(line);
  if (const auto code = parse(line, argc, argv, comm.is_root())) return *code;
  Console console(comm.is_root(), line.quiet);
  return parallel::run_guarded(
      guard, [&] { return line.driver(line.arguments, {.comm = comm, .console = console}); },
      [&](const std::string& message) { console.error(message); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // before the guard stands: MPI itself did not start
    std::fputs(error.what(), stderr);
    return static_cast<int>(ExitCode::internal);
  }
}
