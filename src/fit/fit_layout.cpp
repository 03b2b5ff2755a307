#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fit/fit_file.hpp"
#include "fit/simulation_text.hpp"
#include "model/network_io.hpp"

namespace rankflow::fit {
namespace {

using Axis = std::pair<const char*, std::int64_t>;

/// Collects the datasets of one group.
class GroupLayout {
 public:
  GroupLayout(io::RunLayout& layout, std::string group) : layout_(layout), group_(std::move(group)) {}

  void add(const std::string& name, const std::vector<Axis>& axes, const std::string& text,
           io::Type type = io::Type::f64, const std::string& units = "1") {
    io::DatasetSpec spec{.path = group_ + "/" + name, .shape = {}, .dimensions = {}, .type = type};
    spec.units = units;
    spec.long_name = text;
    for (const auto& [axis, length] : axes) {
      spec.dimensions.emplace_back(axis);
      spec.shape.push_back(static_cast<std::uint64_t>(length));
    }
    layout_.datasets.push_back(std::move(spec));
  }
  io::Attributes& attributes() { return layout_.attributes[group_]; }

 private:
  io::RunLayout& layout_;
  std::string group_;
};

const char* name_of(config::ReadoutSource source) {
  switch (source) {
    case config::ReadoutSource::rates:
      return "rates";
    case config::ReadoutSource::currents:
      return "currents";
    case config::ReadoutSource::latent:
      break;
  }
  return "latent";
}

const char* name_of(config::Link link) {
  switch (link) {
    case config::Link::exponential:
      return "exponential";
    case config::Link::softplus:
      return "softplus";
    case config::Link::relu:
      return "relu";
    case config::Link::identity:
      break;
  }
  return "identity";
}

void add_network(io::RunLayout& layout, const config::FitVsmcOptions& options, const smc::LatentModel& model) {
  GroupLayout network(layout, "/network");
  network.add("m", {{"neuron", model.neurons()}, {"rank", model.rank()}}, "left connectivity vectors");
  network.add("n", {{"neuron", model.neurons()}, {"rank", model.rank()}}, "right connectivity vectors");
  network.add("bias", {{"neuron", model.neurons()}}, "bias");
  if (model.inputs() > 0)
    network.add("input_weights", {{"neuron", model.neurons()}, {"input", model.inputs()}}, "input weights");
  network.attributes() = {{"activation", model::activation_name(options.model.network.activation)},
                          {"tau", options.model.network.tau},
                          {"leak", 1.0},
                          {"decay", options.model.network.decay}};
}

void add_noise(io::RunLayout& layout, const smc::LatentModel& model) {
  const auto rank = model.rank();
  GroupLayout(layout, "/noise")
      .add("cholesky", {{"rank", rank}, {"rank_column", rank}}, "lower factor of the transition noise per step");
  GroupLayout initial(layout, "/initial");
  initial.add("mean", {{"rank", rank}}, "mean of the first state");
  initial.add("cholesky", {{"rank", rank}, {"rank_column", rank}}, "lower factor of the first state's covariance");
}

void add_observation(io::RunLayout& layout, const config::FittedObservationOptions& options,
                     const smc::LatentModel& model) {
  GroupLayout observation(layout, "/observation");
  const Axis channel{"channel", model.channels()};
  if (options.source == config::ReadoutSource::latent)
    observation.add("weights", {channel, {"rank", model.rank()}}, "observation weights");
  else
    observation.add("weights", {channel}, "observation weights");
  if (model.observation_inputs)
    observation.add("input_weights", {channel, {"input", model.inputs()}}, "observation weights of the inputs");
  observation.add("bias", {channel}, "observation bias");
  const bool gaussian = options.kind == config::ObservationKind::gaussian;
  if (gaussian) observation.add("variance", {channel}, "variance of the observation noise");
  observation.attributes() = {{"kind", std::string(gaussian ? "gaussian" : "poisson")},
                              {"source", std::string(name_of(options.source))},
                              {"link", std::string(name_of(options.link_or_default()))}};
}

/// "m [512, 3] from 1", one parameter a line.
std::string layout_text(const nn::ParameterLayout& layout) {
  std::string text;
  for (std::size_t id = 0; id < layout.parameters(); ++id)
    text += fmt::format("{}{} [{}] from {}", id == 0 ? "" : "\n", layout.name(id), fmt::join(layout.shape(id), ", "),
                        layout.offset(id));
  return text;
}

void add_model(io::RunLayout& layout, const FitContents& contents) {
  const auto& model = contents.model.latent;
  GroupLayout group(layout, "/model");
  group.add("best", {{"parameter", model.layout().total()}}, "parameters that were judged best");
  group.add("last", {{"parameter", model.layout().total()}}, "parameters after the last epoch done");
  group.attributes() = {{"layout", layout_text(model.layout())}, {"inputs", model.inputs()}};
}

void add_curves(io::RunLayout& layout, const FitContents& contents) {
  const auto rows = contents.options.training.epochs + 1;
  std::vector<double> epochs(static_cast<std::size_t>(rows));
  for (std::size_t e = 0; e < epochs.size(); ++e) epochs[e] = static_cast<double>(e);
  for (const auto* group : {"/training", "/provenance"})
    layout.coordinates.push_back({.path = fmt::format("{}/epoch", group),
                                  .values = epochs,
                                  .units = "1",
                                  .long_name = "epochs of training; 0: before it"});
  GroupLayout training(layout, "/training");
  const Axis epoch{"epoch", rows};
  training.add("log_likelihood", {epoch}, "per observed step, mean over the epoch's minibatches");
  training.add("validation_log_likelihood", {epoch}, "per observed step of the held-out data, after the epoch");
  training.add("learning_rate", {epoch}, "of the epoch's last step");
  training.add("effective_sample_size", {epoch}, "share of the particles, mean over the epoch");
  training.add("gradient_norm", {epoch}, "before clipping, mean over the epoch");
  training.attributes() = {{"steps_per_epoch", contents.steps_per_epoch},
                           {"epochs_done", std::int64_t{0}},
                           {"best_epoch", std::int64_t{0}},
                           {"setbacks", std::int64_t{0}}};
  GroupLayout(layout, "/provenance").add("epoch_seconds", {epoch}, "wall time of the epoch", io::Type::f64, "s");
}

void add_data(io::RunLayout& layout, const DataSet& data) {
  GroupLayout group(layout, "/data");
  group.add("channel_number", {{"channel", data.channels}}, "number of the channel in the recording", io::Type::i64);
  group.add("trial_number", {{"trial", data.trials}}, "number of the trial in the recording", io::Type::i64);
  group.add("held_out", {{"trial", data.trials}}, "1: the trial (or its end) judged the fit", io::Type::u8);
  group.add("held_out_from", {{"trial", data.trials}}, "first step that judged the fit", io::Type::i64);
  group.add("length", {{"trial", data.trials}}, "steps of the trial", io::Type::i64);
  if (data.standardisation) {
    group.add("mean", {{"channel", data.channels}}, "subtracted from the recording's values");
    group.add("std", {{"channel", data.channels}}, "by which they were divided then");
  }
  if (data.inputs > 0)
    group.add("inputs", {{"trial", data.trials}, {"time", data.times}, {"input", data.inputs}}, "inputs u");
  group.attributes() = {{"bin_width_s", data.bin_width}};
}

}  // namespace

io::RunLayout fit_layout(const FitContents& contents) {
  io::RunLayout layout;
  add_network(layout, contents.options, contents.model.latent);
  add_noise(layout, contents.model.latent);
  add_observation(layout, contents.options.model.observation, contents.model.latent);
  add_model(layout, contents);
  add_curves(layout, contents);
  add_data(layout, contents.data);
  layout.attributes["/simulation"] = {{"configuration", simulation_text(contents.options, contents.data)}};
  return layout;
}

}  // namespace rankflow::fit
