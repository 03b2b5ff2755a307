#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/console.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::drivers {

/// What every driver gets from the command line.
struct Arguments {
  std::string input;               ///< configuration file, or the file to inspect
  std::string data;                ///< evaluate, filter: what the input is applied to
  std::string output;              ///< empty: named after the input
  std::string particles;           ///< filter: number of them; empty: as in the fit
  std::string from;                ///< fit flow: a fit whose latents and loadings are taken
  std::string neurons, seed;       ///< sample; empty: default
  bool conditional_mean = false;   ///< sample
  std::int64_t resample = 0;       ///< analyze populations: neurons of a network drawn from the populations; 0: none
  std::string resampled;           ///< analyze populations: that network's file; empty: named after the input
  std::vector<std::string> sets;   ///< table.key=value
  std::vector<std::string> retry;  ///< sweep run, sweep work, sweep submit: statuses of cases that begin again
  int workers = 0;       ///< sweep run, sweep measure: groups of ranks at once; 0: as many as the processors allow
  int ranks = 0;         ///< sweep work: only cases of so many ranks; 0: all
  double wall_time = 0;  ///< sweep run, sweep work, sweep measure: s after which to stop; 0: no limit
  bool here = false;     ///< sweep measure: on these ranks, without starting others
  bool watch = false;    ///< sweep status: go on until all cases are over
  bool dry_run = false;
  bool resume = false;
  bool overwrite = false;

  /// The output, by default the configuration's name with ending .h5 in the working directory.
  std::filesystem::path output_path() const {
    return output.empty() ? std::filesystem::path(input).stem().replace_extension(".h5")
                          : std::filesystem::path(output);
  }
};

/// The file of a reference to an array: data.h5 of data.h5:/signal.
inline std::string file_in(const std::string& reference) {
  for (const char* separator : {":/", ".npz:"})
    if (const auto at = reference.find(separator); at != std::string::npos)
      return reference.substr(0, at + (separator[0] == '.' ? 4 : 0));
  return reference;
}

/// Where a driver works and speaks.
struct Surroundings {
  const parallel::Communicator& comm;
  Console& console;
};

ExitCode simulate(const Arguments& arguments, const Surroundings& surroundings);
ExitCode generate_recording(const Arguments& arguments, const Surroundings& surroundings);
ExitCode generate_network(const Arguments& arguments, const Surroundings& surroundings);
ExitCode import_recording(const Arguments& arguments, const Surroundings& surroundings);
/// Without an output only prints.
ExitCode evaluate(const Arguments& arguments, const Surroundings& surroundings);
/// Without an output only prints.
ExitCode analyze_fixed_points(const Arguments& arguments, const Surroundings& surroundings);
/// What --set can tell `analyze fixed-points`, for its help.
std::string analyze_fixed_points_keys();
/// Without an output only prints.
ExitCode analyze_identifiability(const Arguments& arguments, const Surroundings& surroundings);
/// What --set can tell `analyze identifiability`, for its help.
std::string analyze_identifiability_keys();
/// Without an output only prints.
ExitCode analyze_populations(const Arguments& arguments, const Surroundings& surroundings);
/// What --set can tell `analyze populations`, for its help.
std::string analyze_populations_keys();
/// Without an output only prints.
ExitCode compare(const Arguments& arguments, const Surroundings& surroundings);
/// What --set can tell `compare`, for its help.
std::string compare_keys();
ExitCode filter(const Arguments& arguments, const Surroundings& surroundings);
ExitCode fit_vsmc(const Arguments& arguments, const Surroundings& surroundings);
/// Takes a configuration, a fit (`from`), or both.
ExitCode fit_flow(const Arguments& arguments, const Surroundings& surroundings);
/// Takes a flow file, writes a network file.
ExitCode sample(const Arguments& arguments, const Surroundings& surroundings);
/// Takes a sweep file, or the directory of a planned sweep.
ExitCode sweep_submit(const Arguments& arguments, const Surroundings& surroundings);
/// Says what a sweep file stands for; writes and runs nothing.
ExitCode sweep_plan(const Arguments& arguments, const Surroundings& surroundings);
/// Takes the directory of a sweep; writes a table of its results.
ExitCode sweep_collect(const Arguments& arguments, const Surroundings& surroundings);
/// Takes the directory of a sweep.
ExitCode sweep_status(const Arguments& arguments, const Surroundings& surroundings);
/// Takes a sweep file, or the directory of a planned sweep; on several ranks works on the cases itself.
ExitCode sweep_run(const Arguments& arguments, const Surroundings& surroundings);
/// Takes a sweep file, or the directory of a planned sweep; records how many ranks a case should have.
ExitCode sweep_measure(const Arguments& arguments, const Surroundings& surroundings);
/// Takes the directory of a planned sweep.
ExitCode sweep_work(const Arguments& arguments, const Surroundings& surroundings);
ExitCode inspect(const Arguments& arguments, const Surroundings& surroundings);
/// Prints the reference of all configuration keys as Markdown (docs/configuration.md).
ExitCode reference(const Surroundings& surroundings);
/// "rankflow 0.1.0 (git …)" and the libraries.
std::string version_text();

}  // namespace rankflow::drivers
