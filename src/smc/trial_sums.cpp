#include "smc/trial_sums.hpp"

#include <algorithm>

namespace rankflow::smc {

TrialSums::TrialSums(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t length)
    : comm_(comm),
      length_(length),
      segments_per_trial_(layout.blocks_per_trial()),
      crosses_(layout.crosses_ranks()),
      segments_(layout.local_segments()),
      mine_(segments_.size() * static_cast<std::size_t>(length)) {
  if (!segments_.empty()) {
    first_trial_ = segments_.front().trial;
    end_trial_ = segments_.back().trial + 1;
  }
  sums_.resize(static_cast<std::size_t>((end_trial_ - first_trial_) * length));
  if (!crosses_) return;
  for (int r = 0; r < layout.ranks(); ++r) {
    const auto at = static_cast<std::size_t>(r);
    counts_.push_back((layout.rank_bounds()[at + 1] - layout.rank_bounds()[at]) * length);
  }
  all_.resize(static_cast<std::size_t>(layout.blocks() * length));
}

std::span<const double> TrialSums::row(const std::vector<double>& rows, std::int64_t first, std::int64_t count) const {
  return std::span(rows).subspan(static_cast<std::size_t>(first * length_), static_cast<std::size_t>(count * length_));
}

std::span<double> TrialSums::part(std::size_t segment) {
  const auto length = static_cast<std::size_t>(length_);
  return std::span(mine_).subspan(segment * length, length);
}

void TrialSums::share() {
  if (crosses_) comm_.all_gather<double>(mine_, all_, counts_);
}

std::span<const double> TrialSums::parts(std::int64_t trial) const {
  return crosses_ ? row(all_, trial * segments_per_trial_, segments_per_trial_)
                  : row(mine_, (trial - first_trial_) * segments_per_trial_, segments_per_trial_);
}

void TrialSums::combine() {
  share();
  std::ranges::fill(sums_, 0.0);
  const auto length = static_cast<std::size_t>(length_);
  for (std::int64_t trial = first_trial_; trial < end_trial_; ++trial) {
    double* const sum = sums_.data() + static_cast<std::size_t>(trial - first_trial_) * length;
    const auto all = parts(trial);
    for (std::size_t i = 0; i < all.size(); ++i) sum[i % length] += all[i];
  }
}

std::span<const double> TrialSums::sum(std::int64_t trial) const {
  return row(sums_, trial - first_trial_, 1);
}

}  // namespace rankflow::smc
