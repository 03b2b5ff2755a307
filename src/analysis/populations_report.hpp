#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fixed_points.hpp"
#include "analysis/flow_field.hpp"
#include "analysis/mixture_selection.hpp"
#include "config/populations_options.hpp"
#include "io/hdf5_file.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// The populations of a network as a Gaussian mixture over (m, n, b, d), the largest first.
struct Populations {
  std::optional<MixtureSelection> selection;  ///< none when their number was given
  bool converged = false;
  double log_likelihood = 0;           ///< of the mixture, nats per neuron
  MixtureModel mixture;                ///< all variables, in their own units
  std::vector<std::string> variables;  ///< their names: m1, …, n1, …, b1, …, d
  std::vector<std::int64_t> members;   ///< neurons of each, by the largest share
  std::vector<std::uint8_t> labels;    ///< population of this rank's neurons, in tiles
  std::vector<double> certainty;       ///< the share of it, likewise
  double mean_certainty = 0;

  int count() const noexcept { return mixture.components(); }
};

/// Collective; the same bits on any number of ranks. Throws as fit_mixture() and select_components().
Populations find_populations(const model::Network<double>& network, const config::PopulationsOptions& options,
                             const parallel::Communicator& comm);

/// The dynamics with and without each population's output: n = 0 for its neurons, which is the same as rates of 0.
struct SilencingReport {
  FlowGrid grid;
  FlowField flow;
  std::vector<double> change;             ///< [population]: |F − F without it| / |F|
  std::optional<FixedPointReport> whole;  ///< none when not looked for
  std::vector<FixedPointReport> without;  ///< [population]
  std::string why_no_fixed_points = {};
};

/// `whole_network`: all neurons on every rank, for fixed points; null: none are looked for. Collective.
SilencingReport silence_populations(const model::Network<double>& network, const Populations& populations,
                                    const config::AnalyzePopulationsOptions& options,
                                    model::Network<double>* whole_network, const parallel::Communicator& comm);

/// For the console.
std::string populations_text(const Populations& populations, const SilencingReport& silencing);

/// Groups /populations, /cross_validation, /flow_field, /fixed_points and /silencing. Collective.
void write_populations(io::File& file, const model::Network<double>& network, const Populations& populations,
                       const SilencingReport& silencing);

}  // namespace rankflow::analysis
