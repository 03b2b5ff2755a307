#include "fit/flow_checks.hpp"

#include <unistd.h>

#include <cmath>

#include "connectivity/ridge.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "io/provenance.hpp"

namespace rankflow::fit {
namespace {

/// A time constant or decay read from a file may have been rounded to single precision.
constexpr double same_number = 1e-6;

std::string provenance_text(const io::File& file, const std::string& name) {
  const auto found = file.attribute("/provenance", name);
  const auto* text = found ? std::get_if<std::string>(&*found) : nullptr;
  return text != nullptr ? *text : "";
}

std::optional<double> run_number(const io::File& file, const std::string& name) {
  const auto found = file.has_group("/network") ? file.attribute("/network", name) : std::nullopt;
  const auto* number = found ? std::get_if<double>(&*found) : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

}  // namespace

void check_flow_options(const config::FitFlowOptions& options) {
  const auto& latents = options.latents;
  const bool noiseless = latents.drift == config::DriftSource::network ||
                         (latents.source == config::LatentSource::simulation && latents.simulation.noise == 0);
  if (options.ridge.evidence && noiseless)
    throw ConfigurationError(
        "ridge.evidence = true estimates the noise of the latents, but these have none (latents.source = "
        "\"simulation\" with latents.simulation.noise = 0, or latents.drift = \"network\"): the evidence has no "
        "maximum; give ridge.penalty instead");
}

void check_flow_sizes(const FlowPreparation& prepared) {
  const auto variables = prepared.system.variables();
  if (prepared.neurons < variables + 2)
    throw InputDataError(
        "the network has {} neuron(s), too few to learn a distribution of {} numbers (m, b, d) per neuron: at least {} "
        "are needed, some hundred make sense",
        prepared.neurons, variables, variables + 2);
  const auto& options = prepared.options();
  connectivity::check_ridge_options(connectivity::ridge_options(options.ridge));
  const auto refuse = [&](const char* form, std::int64_t equations, const char* remedy) {
    if (equations > connectivity::most_direct_equations)
      throw ConfigurationError("ridge.form = \"{}\" takes a dense matrix of {} equations, at most {} are allowed: {}",
                               form, equations, connectivity::most_direct_equations, remedy);
  };
  if (options.ridge.form == connectivity::RidgeForm::neurons)
    refuse("neurons", options.conditional_flow.neurons, "lower conditional_flow.neurons, or choose \"automatic\"");
  if (options.ridge.form == connectivity::RidgeForm::times)
    refuse("times", prepared.states(FlowSplit::training).rows, "choose \"automatic\"");
}

void require_run(const io::File& file, const model::Network<double>& network) {
  const auto status = provenance_text(file, "status");
  if (status == io::name_of(io::Status::running))
    throw InputDataError(
        "the run '{}' is still running, or was killed: rows that are missing cannot be told from others; let it end, "
        "or continue it with --resume",
        file.name());
  if (status == io::name_of(io::Status::failed))
    throw InputDataError("the run '{}' failed ({}): its latents are no dynamics to keep; simulate again", file.name(),
                         provenance_text(file, "failure"));
  const auto agree = [&](const char* name, std::optional<double> there, std::optional<double> here) {
    if (there && here && std::abs(*there - *here) > same_number * std::abs(*here))
      throw InputDataError(
          "the run '{}' was made with {} {}, the network here has {}: take the run's own network (network.file), or "
          "the same {}",
          file.name(), name, *there, *here, name);
  };
  agree("tau", run_number(file, "tau"), network.shared_tau);
  agree("decay", run_number(file, "decay"), network.decay);
}

void require_memory_for(std::int64_t neurons, double bytes_per_rank, const parallel::Communicator& comm) {
  const double there = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (comm.any(bytes_per_rank > there))
    throw ConfigurationError(
        "{} neurons take {} on each of {} rank(s), the machine has {}: draw fewer (sample.neurons), or use more ranks "
        "on more nodes",
        neurons, bytes_text(bytes_per_rank), comm.size(), bytes_text(there));
}

}  // namespace rankflow::fit
