#include "fit/flow_file.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "config/load.hpp"
#include "core/error.hpp"

namespace rankflow::fit {
namespace {

void write_values(io::RunFile& file, const std::string& path, std::span<const double> values) {
  file.file().write_all<double>(path, values);
}

std::vector<double> finite_values(const io::File& file, const std::string& path, std::size_t length) {
  auto values = file.read_all<double>(path);
  if (values.size() != length)
    throw InputDataError("dataset '{}' in file '{}' holds {} numbers, the flow it describes has {}", path, file.name(),
                         values.size(), length);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw InputDataError("dataset '{}' in file '{}' holds {} at {}: the training had come to nothing yet", path,
                           file.name(), values[i], i);
  return values;
}

flow::Flow read_flow(const io::File& file, const std::string& group, const config::VelocityOptions& options,
                     std::int64_t variables, std::int64_t conditions) {
  auto flow = flow::make_flow(options, variables, conditions, 0);
  const auto read = [&](const char* name, std::vector<double>& values) {
    values = finite_values(file, fmt::format("{}/{}", group, name), values.size());
  };
  read("parameters", flow.parameters);
  read("mean", flow.mean);
  read("scale", flow.scale);
  if (conditions > 0) {
    read("condition_mean", flow.condition_mean);
    read("condition_scale", flow.condition_scale);
  }
  return flow;
}

config::FitFlowOptions flow_options_of(const io::File& file) {
  const auto found = file.attribute("/provenance", "configuration");
  const auto* text = found ? std::get_if<std::string>(&*found) : nullptr;
  if (text == nullptr) throw InputDataError("'{}' does not say which configuration made it", file.name());
  return config::load_text<config::FitFlowOptions>(*text, file.name(), {}).options;
}

/// Those rows that taught.
connectivity::VisitedStates training_states(const io::File& file, const FlowSystem& system) {
  const auto part = file.read_all<std::uint8_t>("/latents/part");
  const auto z = file.read_all<double>("/latents/z");
  const auto y = file.read_all<double>("/latents/y");
  const auto v = system.inputs > 0 ? file.read_all<double>("/latents/v") : std::vector<double>();
  const auto rank = static_cast<std::size_t>(system.rank);
  const auto inputs = static_cast<std::size_t>(system.inputs);
  if (z.size() != part.size() * rank || y.size() != z.size() || v.size() != part.size() * inputs)
    throw InputDataError(
        "'{}': the arrays of /latents have {} rows and {}, {}, {} numbers, which is no rank {} with {} "
        "inputs",
        file.name(), part.size(), z.size(), v.size(), y.size(), rank, inputs);
  connectivity::VisitedStates states;
  states.rank = system.rank;
  states.inputs = system.inputs;
  states.alpha = 1 - system.decay;
  for (std::size_t row = 0; row < part.size(); ++row) {
    if (part[row] != static_cast<std::uint8_t>(FlowSplit::training)) continue;
    ++states.rows;
    const auto take = [&](const std::vector<double>& from, std::size_t width, std::vector<double>& to) {
      const auto first = from.begin() + static_cast<std::ptrdiff_t>(row * width);
      to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(width));
    };
    take(z, rank, states.z);
    take(v, inputs, states.v);
    take(y, rank, states.y);
  }
  connectivity::check_visited_states(states);
  return states;
}

double flow_number(const io::File& file, const std::string& group, const char* name, double otherwise) {
  const auto found = file.has_group(group) ? file.attribute(group, name) : std::nullopt;
  if (!found) return otherwise;
  if (const auto* whole = std::get_if<std::int64_t>(&*found)) return static_cast<double>(*whole);
  const auto* real = std::get_if<double>(&*found);
  return real != nullptr ? *real : otherwise;
}

}  // namespace

void write_flow_states(io::RunFile& file, const FlowPreparation& prepared) {
  std::vector<double> z, v, y;
  std::vector<std::uint8_t> part;
  for (std::size_t p = 0; p < prepared.parts.size(); ++p) {
    const auto& states = prepared.parts[p];
    z.insert(z.end(), states.z.begin(), states.z.end());
    v.insert(v.end(), states.v.begin(), states.v.end());
    y.insert(y.end(), states.y.begin(), states.y.end());
    part.insert(part.end(), static_cast<std::size_t>(states.rows), static_cast<std::uint8_t>(p));
  }
  write_values(file, "/latents/z", z);
  if (prepared.system.inputs > 0) write_values(file, "/latents/v", v);
  write_values(file, "/latents/y", y);
  file.file().write_all<std::uint8_t>("/latents/part", part);
}

void write_flow_curves(io::RunFile& file, const FlowFitState& state) {
  const auto write = [&](const std::string& name, const FlowStage& stage) {
    if (stage.loss.empty()) return;
    write_values(file, "/training/" + name + "_loss", stage.loss);
    write_values(file, "/training/" + name + "_validation_loss", stage.validation);
    write_values(file, "/provenance/" + name + "_epoch_seconds", stage.seconds);
  };
  write("loadings", state.loadings);
  write("conditional", state.conditional);
}

void write_flow(io::RunFile& file, const std::string& group, const flow::Flow& flow) {
  write_values(file, group + "/parameters", flow.parameters);
  write_values(file, group + "/mean", flow.mean);
  write_values(file, group + "/scale", flow.scale);
  if (flow.condition_mean.empty()) return;
  write_values(file, group + "/condition_mean", flow.condition_mean);
  write_values(file, group + "/condition_scale", flow.condition_scale);
}

io::Attributes ridge_attributes(const connectivity::RidgeSolution& solution) {
  return {{"penalty", solution.penalty},
          {"noise_variance", solution.noise_variance},
          {"prior_variance", solution.prior_variance},
          {"effective_parameters", solution.effective_parameters},
          {"log_evidence", solution.log_evidence},
          {"relative_misfit", solution.relative_misfit},
          {"residual", solution.certificate.residual}};
}

LoadedConnectivity load_flow(const parallel::Communicator& comm, const std::filesystem::path& path) {
  const auto file = io::File::open(comm, path);
  io::require_file_type(file, io::FileType::flow);
  if (file.attribute("/provenance", "status") == io::Attribute(io::name_of(io::Status::running)))
    throw InputDataError(
        "the flow '{}' is still being trained, or its training was killed: its networks are written when it is stopped "
        "or done; stop it, or continue it with --resume",
        path.string());
  if (file.attribute("/provenance", "status") == io::Attribute(io::name_of(io::Status::failed)))
    throw InputDataError(
        "the training of the flow '{}' failed: it describes no network (see inspect for why); train it again, with "
        "--overwrite",
        path.string());
  auto options = flow_options_of(file);
  const auto system = FlowSystem::read(file);
  auto loadings = read_flow(file, "/loadings_flow", options.loadings_flow.network, system.variables(), 0);
  auto conditional =
      read_flow(file, "/conditional_flow", options.conditional_flow.network, system.rank, system.variables());
  return {.options = std::move(options),
          .system = system,
          .loadings_flow = std::move(loadings),
          .conditional_flow = std::move(conditional),
          .states = training_states(file, system),
          .penalty = flow_number(file, "/ridge", "penalty", 0)};
}

void require_finished(const parallel::Communicator& comm, const std::filesystem::path& path) {
  const auto file = io::File::open(comm, path);
  const auto options = flow_options_of(file);
  const double done = flow_number(file, "/training", "conditional_epochs_done", 0);
  const auto asked = options.conditional_flow.training.epochs;
  if (done < static_cast<double>(asked))
    throw InputDataError(
        "the flow '{}' is not finished: {} of {} epochs of the conditional flow are done; continue it with --resume",
        path.string(), done, asked);
}

}  // namespace rankflow::fit
