#pragma once
#include <vector>

#include "analysis/mixture_fit.hpp"

namespace rankflow::analysis {

struct MixtureSelectionOptions {
  int most = 8;  ///< components tried: 1 to this
  int folds = 5;
  double standard_errors = 2;  ///< of a shortfall that is allowed
  MixtureFitOptions fit = {};  ///< but for the number of components
};

/// What held-out rows say about one number of components; nats per row, in the variables' own units.
struct HeldOutScore {
  int components = 0;
  double log_likelihood = 0;
  double standard_error = 0;   ///< of it, from the spread over rows
  double shortfall = 0;        ///< of the best number's score, row by row
  double shortfall_error = 0;  ///< standard error of the shortfall
  double bic = 0;              ///< of a fit to all rows: −2 log-likelihood + parameters log rows
};

struct MixtureSelection {
  std::vector<HeldOutScore> scores;  ///< of 1, 2, … components
  int best = 1;                      ///< components with the largest held-out log-likelihood
  int chosen = 1;                    ///< fewest components whose shortfall is within its standard errors
  int one_error = 1;  ///< fewest within one standard error of the best score itself: the usual, coarser rule
};

/// Cross-validated log-likelihood: rows are dealt to folds at random (by their number and the seed), each fold is
/// scored by a mixture fitted to the others. The one-standard-error rule is applied to differences row by row, because
/// much of the scores' own spread is common to all numbers of components. Collective; the same bits on any number of
/// ranks.
MixtureSelection select_components(const MixtureRows& rows, const MixtureSelectionOptions& options,
                                   const parallel::Communicator& comm);

}  // namespace rankflow::analysis
