#pragma once
#include <vector>

#include "smc/filter_history.hpp"
#include "smc/posterior.hpp"

namespace rankflow::smc {

/// What all data say about the latents.
struct SmoothedLatents {
  LatentMoments moments;
  /// Effective number of different particles that stand for step t, [trials, T] of the owned trials: falls backwards,
  /// as the paths of all particles meet in few ancestors.
  std::vector<double> sample_size;
};

/// Smoothing by genealogy (Kitagawa 1996; Douc, Garivier, Moulines & Olsson 2011, section 1): a particle of step t
/// counts as much as its descendants at the last step. Weights travel back the way adjoints do; no particle moves.
/// Equal bits at any rank count. Collective.
template <class T>
SmoothedLatents smooth_by_genealogy(FilterHistory<T>& history);

}  // namespace rankflow::smc
