#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace rankflow::sweep {

/// What the size of groups of ranks is chosen for.
struct GroupDemand {
  std::int64_t cases = 1;  ///< open ones that run in groups of this size
  int processors = 1;
  int workers = 0;  ///< groups at once, where somebody said so; 0: as many as the processors allow
};

/// A case's speed on a group of ranks while as many groups work as the sweep will have.
struct GroupSpeed {
  int ranks = 1;
  double seconds = 0;  ///< from the case's beginning to its end; not finite: it does not run on so many ranks
};

/// How many groups of this size work at once: at least 1, no more than there are cases.
std::int64_t groups_at_once(const GroupDemand& demand, int ranks);
/// s until the last case is over when each takes as long as the measured one: ceil(cases / groups) · seconds.
double predicted_makespan(const GroupDemand& demand, const GroupSpeed& speed);
/// The next larger power of two, beginning with 1, that could make the sweep faster by more than the precision of a
/// measurement if it scaled from the largest size of `measured` on as well as at all possible; nothing when none could.
/// `measured` in ascending order.
std::optional<int> next_group_size(const GroupDemand& demand, const std::vector<GroupSpeed>& measured);
/// The measured size of the smallest makespan; among those that differ by less than the precision the smallest one; 1
/// when no case ran on any.
int best_group_size(const GroupDemand& demand, const std::vector<GroupSpeed>& measured);

}  // namespace rankflow::sweep
