#include "fit/simulation_text.hpp"

#include "config/load.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "fit/fit_file.hpp"
#include "io/provenance.hpp"

namespace rankflow::fit {
namespace {

constexpr std::string_view itself = "@fit";

config::ArraySource dataset(const std::string& path) {
  config::ArraySource source;
  source.given = true;
  source.path = itself;
  source.member = path;
  return source;
}

config::ObservationSource source_of(config::ReadoutSource source) {
  switch (source) {
    case config::ReadoutSource::rates:
      return config::ObservationSource::rates;
    case config::ReadoutSource::currents:
      return config::ObservationSource::potentials;
    case config::ReadoutSource::latent:
      break;
  }
  return config::ObservationSource::latent;
}

config::ObservationOptions observation_of(const config::FittedObservationOptions& fitted, bool inputs) {
  config::ObservationOptions observation;
  observation.kind = fitted.kind;
  observation.source = source_of(fitted.source);
  observation.weights = dataset("/observation/weights");
  if (inputs) observation.input_weights = dataset("/observation/input_weights");
  observation.bias = dataset("/observation/bias");
  if (fitted.kind == config::ObservationKind::gaussian) observation.variance = dataset("/observation/variance");
  observation.link = fitted.link_or_default();
  return observation;
}

}  // namespace

std::string simulation_text(const config::FitVsmcOptions& options, const DataSet& data) {
  config::SimulateOptions simulation;
  simulation.run.seed = options.run.seed;
  simulation.network.source = config::NetworkSource::file;
  simulation.network.file = itself;
  simulation.time.step = data.bin_width;
  simulation.time.duration = static_cast<double>(data.times - 1) * data.bin_width;
  simulation.integration.space = config::Space::latent;
  simulation.integration.method = config::Method::map;
  simulation.integration.input_path = options.model.network.input_path;
  simulation.initial.latent = dataset("/initial/mean");
  simulation.initial.latent_cholesky = dataset("/initial/cholesky");
  simulation.noise.latent_cholesky = dataset("/noise/cholesky");
  simulation.observation =
      observation_of(options.model.observation, options.model.observation.inputs && data.inputs > 0);
  if (data.inputs > 0) {
    simulation.time.trials = data.trials;
    config::InputOptions input;
    input.kind = config::InputKind::file;
    input.array = dataset("/data/inputs");
    simulation.inputs.push_back(input);
  }
  return config::resolved_toml(simulation);
}

std::string read_simulation_text(const parallel::Communicator& comm, const std::filesystem::path& path) {
  const auto file = io::File::open(comm, path);
  io::require_file_type(file, io::FileType::fit);
  require_model(file);
  const auto found = file.has_group("/simulation") ? file.attribute("/simulation", "configuration") : std::nullopt;
  if (!found || !std::holds_alternative<std::string>(*found))
    throw InputDataError(
        "'{}' does not say how it is simulated: the attribute 'configuration' of /simulation is missing",
        path.string());
  auto text = std::get<std::string>(*found);
  auto name = config::toml_quoted(std::filesystem::absolute(path).lexically_normal().string());
  name = name.substr(1, name.size() - 2);
  for (auto at = text.find(itself); at != std::string::npos; at = text.find(itself, at + name.size()))
    text.replace(at, itself.size(), name);
  return text;
}

}  // namespace rankflow::fit
