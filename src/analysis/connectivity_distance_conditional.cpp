#include "analysis/connectivity_distance_conditional.hpp"

#include <numeric>

#include "analysis/connectivity_distance.hpp"
#include "analysis/mixture_selection.hpp"
#include "config/generate_options.hpp"
#include "config/load.hpp"
#include "core/error.hpp"
#include "model/presets.hpp"

namespace rankflow::analysis {
namespace {

/// Places of (m, b, d) and of n among a mixture's variables (m, n, b, d).
struct LoadingPlaces {
  std::vector<int> given, wanted;
};

LoadingPlaces places_of(int rank, int inputs, bool has_bias) {
  LoadingPlaces places;
  for (int r = 0; r < rank; ++r) places.given.push_back(r);
  for (int k = 0; k < inputs + (has_bias ? 1 : 0); ++k) places.given.push_back(2 * rank + k);
  for (int r = 0; r < rank; ++r) places.wanted.push_back(rank + r);
  return places;
}

ConditionalMean of_populations(const std::vector<config::PopulationOptions>& populations, int rank, int inputs,
                               bool has_bias) {
  const auto places = places_of(rank, inputs, has_bias);
  return conditional_mean(mixture_of(populations, rank, inputs), places.given, places.wanted);
}

ConditionalMean linear_in_m(const std::vector<std::vector<double>>& overlap) {
  return [overlap](std::span<const double> loadings, std::span<double> mean) {
    for (std::size_t r = 0; r < mean.size(); ++r)
      mean[r] = std::inner_product(overlap[r].begin(), overlap[r].end(), loadings.begin(), 0.0);
  };
}

}  // namespace

std::optional<KnownConditionalMean> closed_form(const config::NetworkOptions& network, int inputs, bool has_bias) {
  KnownConditionalMean known;
  switch (network.source) {
    case config::NetworkSource::preset: {
      const auto preset = model::preset_network(network.preset);
      known.mean = of_populations(preset.populations, preset.rank, inputs, has_bias);
      known.origin = fmt::format("closed form of the preset {}", preset.name);
      return known;
    }
    case config::NetworkSource::populations:
      known.mean = of_populations(network.populations, static_cast<int>(network.rank), inputs, has_bias);
      known.origin = fmt::format("closed form of the {} population(s) that the network was drawn from",
                                 network.populations.size());
      return known;
    case config::NetworkSource::heavy_tailed:
      known.mean = linear_in_m(network.heavy_tailed.overlap);
      known.origin = "closed form of the heavy-tailed distribution that the network was drawn from";
      return known;
    case config::NetworkSource::file:
    case config::NetworkSource::arrays:
      break;
  }
  return std::nullopt;
}

std::optional<KnownConditionalMean> closed_form(const io::File& file, int inputs, bool has_bias) {
  if (!file.has_group("/provenance") || file.attribute("/", "file_type") != io::Attribute(std::string("network")))
    return std::nullopt;
  const auto found = file.attribute("/provenance", "configuration");
  const auto* text = found ? std::get_if<std::string>(&*found) : nullptr;
  if (text == nullptr || text->find("[network]") == std::string::npos) return std::nullopt;
  const auto loaded = config::load_text<config::GenerateNetworkOptions>(*text, file.name(), {});
  return closed_form(loaded.options.network, inputs, has_bias);
}

KnownConditionalMean estimate_conditional_mean(const NeuronSample& sample, std::uint64_t seed,
                                               const parallel::Communicator& comm) {
  const MixtureRows rows(sample.rows(), comm);
  MixtureSelectionOptions options;
  options.fit.seed = seed;
  const auto selection = select_components(rows, options, comm);
  options.fit.components = selection.best;
  const auto fit = fit_mixture(rows, all_rows(rows.partition()), options.fit, comm);
  const bool has_bias = sample.loadings.dimensions > sample.rank + sample.inputs;
  const auto places = places_of(sample.rank, sample.inputs, has_bias);
  return {conditional_mean(rows.in_own_units(fit.model), places.given, places.wanted),
          fmt::format("estimated by a mixture of {} Gaussian(s) fitted to {} neurons", selection.best, sample.count())};
}

KnownConditionalMean find_conditional_mean(const config::CompareOptions& options, const io::File& file,
                                           const NeuronSample& sample, const parallel::Communicator& comm) {
  const bool has_bias = sample.loadings.dimensions > sample.rank + sample.inputs;
  if (options.conditional_mean == config::ConditionalMeanSource::preset) {
    const auto preset = model::preset_network(options.preset);
    if (preset.rank != sample.rank || preset.inputs != sample.inputs || has_bias)
      throw ConfigurationError(
          "compare.preset: {} has rank {} and {} input channels, the first network rank {}, {} input channels and {}: "
          "choose a preset of its shape, or conditional_mean = \"mixture\"",
          preset.name, preset.rank, preset.inputs, sample.rank, sample.inputs, has_bias ? "biases" : "no biases");
    return {preset_conditional_mean(options.preset), fmt::format("closed form of the preset {}", preset.name)};
  }
  if (options.conditional_mean == config::ConditionalMeanSource::automatic)
    if (auto known = closed_form(file, sample.inputs, has_bias)) return *known;
  return estimate_conditional_mean(sample, static_cast<std::uint64_t>(options.seed), comm);
}

}  // namespace rankflow::analysis
