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
/// The text of such a file, and what a file of this text says; nothing when there is none. As read_measured_ranks
/// throws.
std::string record_text(const MeasuredRanks& measured);
std::optional<MeasuredRanks> read_record(const std::filesystem::path& file);
/// "2 (measured for 3 cases on 2 processors: 1.2 s with 1, 0.6 s with 2)".
std::string text_of(const MeasuredRanks& measured);
/// The same of what is recorded, or why it cannot be read, for commands that need no ranks; nothing when there is none.
std::optional<std::string> text_of_record(const std::filesystem::path& sweep);
/// Why what was measured does not fit these circumstances any more: another size would be chosen; empty when it fits.
std::string doubt_about(const MeasuredRanks& measured, const GroupDemand& now);

/// Whether the number of ranks of some cases is to be measured.
bool asks_for_measurement(const Plan& plan);
/// Gives these cases so many ranks.
void set_measured_ranks(Plan& plan, int ranks);
/// How many ranks these cases have: as recorded, otherwise `otherwise` if that is not 0. Throws ConfigurationError when
/// there is neither, and says what to do.
int recorded_ranks(const Plan& plan, int otherwise = 0);

}  // namespace rankflow::sweep
