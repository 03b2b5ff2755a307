#include "fit/fit_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "config/load.hpp"
#include "core/error.hpp"
#include "smc/low_rank_step.hpp"
#include "smc/state_space.hpp"

namespace rankflow::fit {
namespace {

void write(io::RunFile& file, const std::string& path, std::span<const double> values) {
  file.file().write_all<double>(path, values);
}

void write(io::RunFile& file, const std::string& path, const smc::Matrix& matrix) {
  write(file, path, std::span(matrix.data(), static_cast<std::size_t>(matrix.size())));
}

void write(io::RunFile& file, const std::string& path, const smc::Vector& vector) {
  write(file, path, std::span(vector.data(), static_cast<std::size_t>(vector.size())));
}

/// Our simulations divide n^T phi by N and multiply it with 1 - decay, the fit's map does not.
void write_network(io::RunFile& file, const smc::LatentModel& model, const smc::StateSpace& space) {
  const double scale = static_cast<double>(model.neurons()) / (1 - space.decay);
  write(file, "/network/m", smc::Matrix(space.step_weights.leftCols(model.rank())));
  write(file, "/network/n", smc::Matrix(scale * space.n));
  write(file, "/network/bias", space.bias);
  if (model.inputs() > 0)
    write(file, "/network/input_weights", smc::Matrix(space.step_weights.rightCols(model.inputs())));
  file.file().set_attribute("/network", "decay", space.decay);
}

void write_observation(io::RunFile& file, const smc::LatentModel& model, std::span<const double> parameters,
                       const smc::StateSpace& space) {
  const auto part = [&](smc::LatentModel::Id id) { return model.layout().part(parameters, id); };
  write(file, "/observation/weights", part(model.observation_weights));
  if (model.observation_inputs) write(file, "/observation/input_weights", part(*model.observation_inputs));
  write(file, "/observation/bias", space.observation_bias);
  if (model.observation_log_variance) write(file, "/observation/variance", space.variance);
}

std::vector<double> require_vector(const io::File& file, const std::string& path, std::int64_t length) {
  auto values = file.read_all<double>(path);
  if (static_cast<std::int64_t>(values.size()) != length)
    throw InputDataError("dataset '{}' in file '{}' holds {} numbers, the model it describes has {}", path, file.name(),
                         values.size(), length);
  return values;
}

std::int64_t inputs_of(const io::File& file) {
  const auto found = file.attribute("/model", "inputs");
  const auto* inputs = found ? std::get_if<std::int64_t>(&*found) : nullptr;
  if (inputs == nullptr) throw InputDataError("'{}': the attribute 'inputs' of /model is missing", file.name());
  return *inputs;
}

config::FitVsmcOptions options_of(const io::File& file) {
  const auto found = file.attribute("/provenance", "configuration");
  const auto* text = found ? std::get_if<std::string>(&*found) : nullptr;
  if (text == nullptr) throw InputDataError("'{}' does not say which configuration made it", file.name());
  return config::load_text<config::FitVsmcOptions>(*text, file.name(), {}).options;
}

}  // namespace

void require_model(const io::File& file) {
  const auto status = file.attribute("/provenance", "status");
  if (!status) return;
  if (*status == io::Attribute(io::name_of(io::Status::running)))
    throw InputDataError(
        "the fit '{}' is still running, or was killed: its model is written when it is stopped or done; stop it, or "
        "continue it with --resume",
        file.name());
  if (*status != io::Attribute(io::name_of(io::Status::failed))) return;
  const auto best = file.read_all<double>("/model/best");
  if (best.empty() || std::isnan(best.front()))
    throw InputDataError("the fit '{}' failed at its start, so that it holds no model (see inspect)", file.name());
}

std::vector<double> initial_mean(const smc::LatentModel& model, std::span<const double> parameters) {
  const smc::StateSpace space(model, parameters);
  const auto rank = static_cast<std::size_t>(model.rank());
  if (model.options().noise.initial_mean != config::InitialMean::bias)
    return {space.initial_mean.data(), space.initial_mean.data() + rank};
  const auto row = static_cast<std::size_t>(smc::block_lanes);
  const ad::AlignedVector<double> origin(static_cast<std::size_t>(model.states()) * row, 0.0);
  ad::AlignedVector<double> out(rank * row, 0.0);
  const smc::PreparedStep<double> step(
      {.activation = model.options().network.activation,
       .neurons = model.neurons(),
       .states = model.states(),
       .rank = model.rank(),
       .m = {space.step_weights.data(), static_cast<std::size_t>(space.step_weights.size())},
       .n = {space.n.data(), static_cast<std::size_t>(space.n.size())},
       .bias = {space.bias.data(), static_cast<std::size_t>(space.bias.size())}});
  smc::low_rank_step(step, origin.data(), 1, out.data());
  std::vector<double> mean;
  for (std::size_t r = 0; r < rank; ++r) mean.push_back(out[r * row]);
  return mean;
}

void write_fit_data(io::RunFile& file, const FitContents& contents) {
  const auto& data = contents.data;
  std::vector<std::uint8_t> held_out(static_cast<std::size_t>(data.trials), 0);
  std::vector<std::int64_t> from(data.lengths);
  for (const auto& stretch : contents.split.validation) {
    held_out[static_cast<std::size_t>(stretch.trial)] = 1;
    from[static_cast<std::size_t>(stretch.trial)] = stretch.begin;
  }
  auto& h5 = file.file();
  h5.write_all<std::int64_t>("/data/channel_number", data.channel_numbers);
  h5.write_all<std::int64_t>("/data/trial_number", data.trial_numbers);
  h5.write_all<std::uint8_t>("/data/held_out", held_out);
  h5.write_all<std::int64_t>("/data/held_out_from", from);
  h5.write_all<std::int64_t>("/data/length", data.lengths);
  if (data.inputs > 0) h5.write_all<double>("/data/inputs", data.input_values);
  if (!data.standardisation) return;
  h5.write_all<double>("/data/mean", data.standardisation->mean);
  h5.write_all<double>("/data/std", data.standardisation->std);
}

void write_fit_curves(io::RunFile& file, const LearningCurves& curves) {
  write(file, "/training/log_likelihood", curves.training);
  write(file, "/training/validation_log_likelihood", curves.validation);
  write(file, "/training/learning_rate", curves.learning_rate);
  write(file, "/training/effective_sample_size", curves.sample_size);
  write(file, "/training/gradient_norm", curves.gradient_norm);
  write(file, "/provenance/epoch_seconds", curves.seconds);
}

void write_fit_result(io::RunFile& file, const FitContents& contents, const TrainingState& state) {
  const auto& model = contents.model.latent;
  const smc::StateSpace space(model, state.best);
  write_network(file, model, space);
  write(file, "/noise/cholesky", space.transition_noise);
  write(file, "/initial/mean", initial_mean(model, state.best));
  write(file, "/initial/cholesky", space.initial_noise);
  write_observation(file, model, state.best, space);
  write(file, "/model/best", state.best);
  write(file, "/model/last", state.now.parameters);
  auto& h5 = file.file();
  h5.set_attribute("/training", "epochs_done", state.epoch);
  h5.set_attribute("/training", "best_epoch", state.best_epoch);
  h5.set_attribute("/training", "setbacks", state.setbacks);
}

LoadedFit load_fit(const parallel::Communicator& comm, const std::filesystem::path& path) {
  const auto file = io::File::open(comm, path);
  io::require_file_type(file, io::FileType::fit);
  require_model(file);
  auto options = options_of(file);
  auto channels = file.read_all<std::int64_t>("/data/channel_number");
  FitModel model(options, static_cast<std::int64_t>(channels.size()), inputs_of(file));
  const auto total = model.latent.layout().total();
  LoadedFit fit{.options = std::move(options),
                .model = std::move(model),
                .parameters = require_vector(file, "/model/best", total),
                .last = require_vector(file, "/model/last", total),
                .standardisation = {},
                .channel_numbers = std::move(channels)};
  if (file.has_dataset("/data/mean")) {
    const auto width = static_cast<std::int64_t>(fit.channel_numbers.size());
    fit.standardisation = {require_vector(file, "/data/mean", width), require_vector(file, "/data/std", width)};
  }
  const auto width = file.attribute("/data", "bin_width_s");
  if (!width || !std::holds_alternative<double>(*width))
    throw InputDataError("'{}': the attribute 'bin_width_s' of /data is missing", file.name());
  fit.bin_width = std::get<double>(*width);
  return fit;
}

}  // namespace rankflow::fit
