#pragma once
#include "fit/data_set.hpp"
#include "fit/fit_file.hpp"

namespace rankflow::fit {

/// What a fit's filter says about data, with its Monte Carlo error.
struct LikelihoodEstimate {
  double per_step = 0;  ///< mean over independent filters of log p per observed step
  double error = 0;     ///< standard error of that mean, from the filters' spread
};

/// Filters all trials `filters` >= 2 times with independent random numbers, in double precision and with the fit's own
/// settings. Collective. Throws what the filter throws.
LikelihoodEstimate estimate_likelihood(const LoadedFit& fit, const DataSet& data, std::int64_t filters,
                                       const parallel::Communicator& comm);

}  // namespace rankflow::fit
