#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/submit_options.hpp"

namespace rankflow::sweep {

/// Ranks of a case that stand for: as many as a measurement will choose (sweep/measured_ranks.hpp).
inline constexpr int ranks_to_measure = 0;

/// One run of a driver with one resolved configuration.
struct Case {
  std::string id;      ///< 16 hexadecimal digits, see case_id
  std::string driver;  ///< "fit vsmc", "fit flow", "simulate" or "generate recording"
  /// Varied keys and their values as TOML text, in the order of the description; the seed is not among them,
  /// so that the replicates of one setting have equal lists.
  std::vector<std::pair<std::string, std::string>> varied;
  std::int64_t seed = 0;      ///< run.seed
  int ranks = 1;              ///< that run it, or ranks_to_measure; no part of the id, since it does not change a bit
  std::string configuration;  ///< resolved TOML, as `config::load` gives it
};

/// What the file plan.toml in a sweep's directory says: all cases, in the order in which they are taken.
struct Plan {
  std::filesystem::path directory;  ///< of the sweep; absolute
  std::filesystem::path source;     ///< the sweep file that the plan was made from; absolute
  std::string metric;               ///< name in `Outcome::metrics`; empty: cases are not ranked
  bool maximise = true;
  double timeout = 0;         ///< seconds that one attempt at a case may take; 0: any
  double stale_after = 60;    ///< seconds without a heartbeat after which a claim may be taken over
  std::int64_t attempts = 2;  ///< how often a case is begun whose worker dies
  std::vector<std::int64_t>
      rungs;                   ///< epochs after which cases pause to be compared, ascending; none: all run to the end
  std::int64_t reduction = 3;  ///< one of so many goes on from a rung
  config::SubmitOptions submit;
  std::vector<Case> cases;
};

/// Where a sweep keeps things. `directory` is the sweep's.
std::filesystem::path plan_path(const std::filesystem::path& directory);
/// cases/<id[0:2]>/<id>, holding config.toml, result.h5, its checkpoints and log.txt.
std::filesystem::path case_folder(const std::filesystem::path& directory, const std::string& id);

/// The plan of a directory. Throws ConfigurationError when there is none or one of another format, InputOutputError
/// when it is damaged.
Plan read_plan(const std::filesystem::path& directory);
/// Throws ConfigurationError when the plan's directory holds something else, or another sweep: one that was made from
/// another file and has no case in common. A plan there that is damaged counts as none; returns what is wrong with it.
std::string require_own_directory(const Plan& plan);
/// Writes plan.toml under a temporary name and renames it; creates the directory. A plan that says the same is
/// left alone, one that is damaged is replaced: the ledger goes by ids. Returns and throws as require_own_directory;
/// throws InputOutputError when it cannot be written.
std::string write_plan(const Plan& plan);

/// Whether the plan that its directory holds by now lacks cases of this one, or has them run on other ranks: another
/// sweep file, or a changed one, was planned meanwhile. Says so; empty otherwise, and when the file cannot be read.
std::string contradiction_on_disk(const Plan& plan);

/// 16 hexadecimal digits of a 64-bit hash of the driver and of the configuration without what changes no result.
std::string case_id(const std::string& driver, const std::string& identity);

}  // namespace rankflow::sweep
