#include "analysis/connectivity_distance_report.hpp"
#include "analysis/flow_field_file.hpp"

namespace rankflow::analysis {
namespace {

void write_overlaps(io::File& file, const NetworkComparison& found) {
  std::vector<double> both = found.first.overlap;
  both.insert(both.end(), found.second.overlap.begin(), found.second.overlap.end());
  const auto rank = static_cast<std::uint64_t>(found.rank);
  file.create_dataset({.path = "/comparison/overlap",
                       .shape = {2, rank, rank},
                       .dimensions = {"network", "right", "left"},
                       .units = "1",
                       .long_name = "overlaps (1/N) n'm of the first and the second network"});
  file.write_all<double>("/comparison/overlap", both);
}

void write_eigenvalues(io::File& file, const NetworkComparison& found) {
  std::vector<double> parts;
  for (const auto* reading : {&found.first, &found.second})
    for (const auto& value : reading->eigenvalues) parts.insert(parts.end(), {value.real(), value.imag()});
  file.create_dataset({.path = "/comparison/overlap_eigenvalue",
                       .shape = {2, static_cast<std::uint64_t>(found.rank), 2},
                       .dimensions = {"network", "mode", "part"},
                       .units = "1",
                       .long_name = "eigenvalues of the overlaps, real and imaginary part"});
  file.write_all<double>("/comparison/overlap_eigenvalue", parts);
}

}  // namespace

void write_comparison(io::File& file, const NetworkComparison& found) {
  file.create_group("/comparison");
  io::Attributes values{{"sinkhorn_divergence", found.loadings.divergence},
                        {"sinkhorn_residual", found.loadings.residual},
                        {"sinkhorn_iterations", found.loadings.iterations},
                        {"sinkhorn_converged", std::int64_t{found.loadings.converged ? 1 : 0}},
                        {"sampling_first", found.first.sampling},
                        {"sampling_second", found.second.sampling},
                        {"sliced_transport", found.sliced},
                        {"conditional_error", found.conditional_error},
                        {"conditional_mean_error", found.mean_error},
                        {"distance", found.loadings.divergence + found.conditional_error},
                        {"conditional_mean_first", found.first.conditional_mean},
                        {"conditional_mean_second", found.second.conditional_mean},
                        {"free_part_first", found.first.free_part},
                        {"free_part_second", found.second.free_part},
                        {"flow_difference", found.flow_difference},
                        {"neurons_first", found.first.neurons},
                        {"neurons_second", found.second.neurons}};
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) values[name] = *value;
  };
  add("weight_correlation", found.weights.weights);
  add("effective_weight_correlation", found.weights.effective_weights);
  add("sorted_effective_weight_correlation", found.weights.sorted_effective_weights);
  if (!found.weights.why_not.empty()) values["weight_correlation_missing"] = found.weights.why_not;
  file.set_attributes("/comparison", values);
  write_overlaps(file, found);
  write_eigenvalues(file, found);
  write_grid(file, found.grid);
  write_field(file, found.grid, "first", "flow F of the first network", found.first.flow.total);
  write_field(file, found.grid, "second", "flow F of the second network", found.second.flow.total);
}

}  // namespace rankflow::analysis
