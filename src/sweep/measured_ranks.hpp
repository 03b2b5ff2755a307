#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweep/group_size.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// What sweep.ranks = "measured" came to: the file ranks.toml in the sweep's directory. It is made once, so that
/// whoever works on the sweep uses the same.
struct MeasuredRanks {
  int ranks = 1;
  std::vector<GroupSpeed> speeds;  ///< in ascending order; empty when no size could have been faster than one rank
  GroupDemand demand;              ///< that it was chosen for
  std::string case_id;             ///< that was measured
  std::string host;
  std::string finished;  ///< UTC
  std::string note;      ///< what went wrong, if anything
};

std::filesystem::path measured_ranks_path(const std::filesystem::path& sweep);
/// Nothing when nothing was measured yet. Throws InputOutputError when the file is damaged.
std::optional<MeasuredRanks> read_measured_ranks(const std::filesystem::path& sweep);
/// False when somebody else did before; that record stays.
bool record_measured_ranks(const std::filesystem::path& sweep, const MeasuredRanks& measured);
/// "2 (measured for 12 cases on 4 processors: 10.2 s with 1, 5.3 s with 2, 5.1 s with 4)".
std::string text_of(const MeasuredRanks& measured);

/// Whether the number of ranks of some cases is to be measured.
bool asks_for_measurement(const Plan& plan);
/// Gives these cases so many ranks.
void set_measured_ranks(Plan& plan, int ranks);
/// How many ranks these cases have: as recorded, otherwise `otherwise` if that is not 0. Throws ConfigurationError when
/// there is neither, and says what to do.
int recorded_ranks(const Plan& plan, int otherwise = 0);

}  // namespace rankflow::sweep
