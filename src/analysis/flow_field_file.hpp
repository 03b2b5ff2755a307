#pragma once
#include <string>
#include <vector>

#include "analysis/flow_field.hpp"
#include "io/hdf5_file.hpp"

namespace rankflow::analysis {

/// Dataset /flow_field/latent [point, rank] and the attributes range and extent of /flow_field. Collective.
void write_grid(io::File& file, const FlowGrid& grid);
/// Dataset /flow_field/<name> [point, rank]. Collective.
void write_field(io::File& file, const FlowGrid& grid, const std::string& name, const std::string& long_name,
                 const std::vector<double>& field);

}  // namespace rankflow::analysis
