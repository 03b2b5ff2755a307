#pragma once
#include <vector>

#include "fit/filtering.hpp"

namespace rankflow::fit {

/// The data of a request, as the fit wants them; channels held out are NaN. Collective. Throws InputDataError for data
/// that do not fit, ConfigurationError for channels that are not there.
DataSet load_filter_data(const FilterRequest& request, const parallel::Communicator& comm);

/// Makes channels NaN, given by the recording's numbers. Throws ConfigurationError naming `key` for one that the data
/// do not have.
void hide_channels(const char* key, const std::vector<std::int64_t>& channels, DataSet& data);

}  // namespace rankflow::fit
