#pragma once
#include <vector>

#include "fit/filtering.hpp"

namespace rankflow::fit {

/// The data of a request, as the fit wants them; channels held out are NaN. Collective. Throws InputDataError for data
/// that do not fit, ConfigurationError for channels that are not there.
DataSet load_filter_data(const FilterRequest& request, const parallel::Communicator& comm);

}  // namespace rankflow::fit
