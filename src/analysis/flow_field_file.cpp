#include "analysis/flow_field_file.hpp"

namespace rankflow::analysis {

void write_field(io::File& file, const FlowGrid& grid, const std::string& name, const std::string& long_name,
                 const std::vector<double>& field) {
  const auto path = "/flow_field/" + name;
  file.create_dataset({.path = path,
                       .shape = {static_cast<std::uint64_t>(grid.count()), static_cast<std::uint64_t>(grid.rank)},
                       .dimensions = {"point", "rank"},
                       .units = "1",
                       .long_name = long_name});
  file.write_all<double>(path, field);
}

void write_grid(io::File& file, const FlowGrid& grid) {
  file.create_group("/flow_field");
  std::vector<double> extent(grid.extent.begin(), grid.extent.end());
  file.set_attribute("/flow_field", "range", grid.range);
  if (!extent.empty()) file.set_attribute("/flow_field", "extent", extent);
  write_field(file, grid, "latent", "latent state of each point; the last latent varies fastest", grid.points);
}

}  // namespace rankflow::analysis
