#include <array>
#include <vector>

#include <fmt/format.h>

#include "fit/flow_file.hpp"

namespace rankflow::fit {
namespace {

using FlowAxis = std::pair<const char*, std::int64_t>;

void add_flow_dataset(io::RunLayout& layout, const std::string& path, const std::vector<FlowAxis>& axes,
                      const std::string& text, io::Type type = io::Type::f64, const std::string& units = "1") {
  io::DatasetSpec spec{.path = path, .shape = {}, .dimensions = {}, .type = type};
  spec.units = units;
  spec.long_name = text;
  for (const auto& [axis, length] : axes) {
    spec.dimensions.emplace_back(axis);
    spec.shape.push_back(static_cast<std::uint64_t>(length));
  }
  layout.datasets.push_back(std::move(spec));
}

const char* name_of_path(config::PathKind path) {
  switch (path) {
    case config::PathKind::linear:
      return "linear";
    case config::PathKind::variance_preserving:
      return "variance_preserving";
    case config::PathKind::conditional_ot:
      break;
  }
  return "conditional_ot";
}

void add_one_flow(io::RunLayout& layout, const std::string& group, const flow::Flow& flow,
                  const config::FlowPartOptions& options) {
  const auto& network = flow.network;
  add_flow_dataset(layout, group + "/parameters", {{"parameter", network.layout().total()}},
                   "weights and biases, layer after layer");
  add_flow_dataset(layout, group + "/mean", {{"variable", network.variables()}}, "subtracted from the variables");
  add_flow_dataset(layout, group + "/scale", {{"variable", network.variables()}}, "by which they are divided then");
  if (network.conditions() > 0) {
    add_flow_dataset(layout, group + "/condition_mean", {{"condition", network.conditions()}},
                     "subtracted from the conditions");
    add_flow_dataset(layout, group + "/condition_scale", {{"condition", network.conditions()}},
                     "by which they are divided then");
  }
  layout.attributes[group] = {{"hidden_layers", options.network.hidden_layers},
                              {"hidden_width", options.network.hidden_width},
                              {"time_frequencies", options.network.time_frequencies},
                              {"path", std::string(name_of_path(options.training.path))},
                              {"path_noise", options.training.path_noise}};
}

void add_flow_curves(io::RunLayout& layout, const std::string& name, std::int64_t epochs) {
  if (epochs == 0) return;
  std::vector<double> numbers;
  for (std::int64_t e = 1; e <= epochs; ++e) numbers.push_back(static_cast<double>(e));
  const auto axis = name + "_epoch";
  for (const auto* group : {"/training/", "/provenance/"})
    layout.coordinates.push_back(
        {.path = group + axis, .values = numbers, .units = "1", .long_name = "epochs of training"});
  add_flow_dataset(layout, "/training/" + name + "_loss", {{axis.c_str(), epochs}},
                   "mean squared error of the velocity, per variable, over the epoch");
  add_flow_dataset(layout, "/training/" + name + "_validation_loss", {{axis.c_str(), epochs}},
                   "the same of what is held out, after the epoch");
  add_flow_dataset(layout, "/provenance/" + name + "_epoch_seconds", {{axis.c_str(), epochs}}, "wall time of the epoch",
                   io::Type::f64, "s");
}

}  // namespace

io::RunLayout flow_layout(const FlowPreparation& prepared) {
  io::RunLayout layout;
  const auto& options = prepared.options();
  const auto& system = prepared.system;
  layout.attributes["/system"] = system.attributes();
  add_one_flow(layout, "/loadings_flow", prepared.loadings_flow, options.loadings_flow);
  add_one_flow(layout, "/conditional_flow", prepared.conditional_flow, options.conditional_flow);
  add_flow_curves(layout, "loadings", options.loadings_flow.training.epochs);
  add_flow_curves(layout, "conditional", options.conditional_flow.training.epochs);
  layout.attributes["/training"] = {{"loadings_epochs_done", std::int64_t{0}},
                                    {"conditional_epochs_done", std::int64_t{0}},
                                    {"setbacks", std::int64_t{0}},
                                    {"basis_changes", std::int64_t{0}}};
  std::int64_t rows = 0;
  for (const auto& part : prepared.parts) rows += part.rows;
  add_flow_dataset(layout, "/latents/z", {{"row", rows}, {"rank", system.rank}}, "visited latents");
  if (system.inputs > 0)
    add_flow_dataset(layout, "/latents/v", {{"row", rows}, {"input", system.inputs}}, "inputs as the neurons see them");
  add_flow_dataset(layout, "/latents/y", {{"row", rows}, {"rank", system.rank}},
                   "recurrent drive (1/N) n^T phi that led to the next latents");
  add_flow_dataset(layout, "/latents/part", {{"row", rows}}, "0: training, 1: validation, 2: test", io::Type::u8);
  layout.attributes["/latents"] = {{"alpha", 1 - system.decay}};
  layout.attributes["/ridge"] = {};
  layout.attributes["/judgement"] = {};
  return layout;
}

}  // namespace rankflow::fit
