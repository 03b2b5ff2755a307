#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fit/filtering.hpp"
#include "io/run_file.hpp"

namespace rankflow::fit {

/// Everything a filter's file will hold.
io::RunLayout filter_layout(const FilterRequest& request, const DataSet& data);

/// Writes rows of some trials into a dataset whose axis `trial_axis` is that of trials: `trials` of them from
/// `first_trial` on, each rank its own (or none). `values` hold the dataset's block of these trials. Collective.
void write_trials(io::RunFile& file, const std::string& path, std::size_t trial_axis, std::int64_t first_trial,
                  std::int64_t trials, std::span<const double> values);

}  // namespace rankflow::fit
