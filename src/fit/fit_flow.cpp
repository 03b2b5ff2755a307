#include "fit/fit_flow.hpp"

#include <algorithm>
#include <memory>

#include "config/load.hpp"
#include "fit/flow_file.hpp"
#include "fit/flow_procedure.hpp"

namespace rankflow::fit {
namespace {

/// Numbers that the training of a flow keeps for each parameter: weights, optimiser, average, positions to go back to.
constexpr std::int64_t numbers_per_parameter = 16;

double state_bytes(const FlowPreparation& prepared) {
  std::size_t numbers = prepared.training_rows.size() + prepared.validation_rows.size();
  for (const auto& part : prepared.parts) numbers += part.z.size() + part.v.size() + part.y.size();
  return static_cast<double>(numbers) * sizeof(double);
}

}  // namespace

FlowPlan plan_fit_flow(const FlowRequest& request, const parallel::Communicator& comm) {
  const FlowPreparation prepared(request, comm);
  const auto& system = prepared.system;
  const auto& options = request.options;
  const auto parameters =
      prepared.loadings_flow.network.layout().total() + prepared.conditional_flow.network.layout().total();
  const std::int64_t most = (options.conditional_flow.neurons + comm.size() - 1) / comm.size();
  const auto shards = static_cast<double>(most);
  double file_bytes = 0;
  for (const auto& spec : flow_layout(prepared).datasets)
    file_bytes += static_cast<double>(io::count_of(spec.shape) * io::size_of(spec.type));
  const double features =
      sizeof(double) * shards * static_cast<double>(std::min<std::int64_t>(prepared.parts[0].rows, 4096));
  const double training = static_cast<double>(parameters * numbers_per_parameter) * sizeof(double);
  const double memory = state_bytes(prepared) + training + features;
  const auto loadings_batch = std::min(options.loadings_flow.training.batch,
                                       static_cast<std::int64_t>(prepared.training_rows.size()) / system.variables());
  const auto conditional_batch = std::min(options.conditional_flow.training.batch, options.conditional_flow.neurons);
  auto text = fmt::format(
      "neurons {}, rank {}, {} input(s){}: {} variables\nvisited states: {} to learn from, {} to judge the training, "
      "{} to judge the result; {} left out (masked, or not a number)\nloadings_flow: {} epochs; conditional_flow: {} "
      "epochs of {} fresh neurons; minibatches of {} and {}; {} "
      "parameters\nmemory per rank on {} rank{}: {}\noutput file: {}\n",
      prepared.neurons, system.rank, system.inputs, system.has_bias ? ", biases" : "", system.variables(),
      prepared.parts[0].rows, prepared.parts[1].rows, prepared.parts[2].rows, prepared.dropped(),
      options.loadings_flow.training.epochs, options.conditional_flow.training.epochs, options.conditional_flow.neurons,
      loadings_batch, conditional_batch, parameters, comm.size(), comm.size() == 1 ? "" : "s", bytes_text(memory),
      bytes_text(file_bytes));
  return {std::move(text), static_cast<std::uint64_t>(memory), static_cast<std::uint64_t>(file_bytes)};
}

ExitCode run_fit_flow(const FlowRequest& request, const parallel::Communicator& comm, Console& console) {
  const auto& run = request.options.run;
  auto inputs = input_files(request.options);
  if (!request.source.empty()) inputs.push_back(request.source);
  const SessionOrder order{.output = request.output,
                           .type = io::FileType::flow,
                           .inputs = std::move(inputs),
                           .wall_time = run.wall_time,
                           .checkpoint_every = run.checkpoint_every,
                           .resume = request.resume,
                           .overwrite = request.overwrite,
                           .doing = "learning flows",
                           .same_configuration = [&](const std::string& text) {
                             const auto earlier =
                                 config::load_text<config::FitFlowOptions>(text, request.output.string(), {}).options;
                             return lasting_toml(earlier) == lasting_toml(request.options);
                           }};
  return run_session(
      order, [&]() -> std::unique_ptr<Procedure> { return std::make_unique<FlowProcedure>(request, comm, console); },
      comm, console);
}

}  // namespace rankflow::fit
