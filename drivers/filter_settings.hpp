#pragma once
#include <string>
#include <vector>

#include "arguments.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "fit/filtering.hpp"

namespace rankflow::drivers {

/// A reference to data on the command line: a recording file, or an array in a file ("eeg.h5:/signal").
config::ArraySource data_source(const std::string& text);

/// The settings that a fit is filtered with: its own, changed by DATA of the command line (a recording, or an array of
/// observations) and by `sets`. Throws what config::load_text() throws.
config::Loaded<config::FilterOptions> filter_settings(const Arguments& arguments, const fit::LoadedFit& fit,
                                                      const std::vector<std::string>& sets);

}  // namespace rankflow::drivers
