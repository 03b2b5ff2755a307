#pragma once
#include <optional>
#include <string>

#include "analysis/connectivity_distance_points.hpp"
#include "analysis/mixture_model.hpp"
#include "config/compare_options.hpp"
#include "config/network_options.hpp"
#include "io/hdf5_file.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// E[n | m, b, d] and where it comes from.
struct KnownConditionalMean {
  ConditionalMean mean;
  std::string origin;  ///< in words
};

/// Closed form for what a configuration draws neurons from: presets and populations (Gaussian mixtures), heavy tails
/// (n = O m + residual, hence E[n | m] = O m). None for networks from files or arrays. `inputs`, `has_bias`: of the
/// network, which say what (m, b, d) consists of.
std::optional<KnownConditionalMean> closed_form(const config::NetworkOptions& network, int inputs, bool has_bias);

/// The same for a network file of ours, by the configuration it holds; none when it does not hold one.
std::optional<KnownConditionalMean> closed_form(const io::File& file, int inputs, bool has_bias);

/// Conditional mean of a Gaussian mixture fitted to a sample, its number of components by cross-validation. A mixture
/// is smooth, exact for mixtures however many neurons there are, consistent for other densities as components are
/// added, and says by its held-out likelihood when the sample cannot tell more; nearest neighbours would carry the
/// variance of n over k neighbours into every distance. Collective.
KnownConditionalMean estimate_conditional_mean(const NeuronSample& sample, std::uint64_t seed,
                                               const parallel::Communicator& comm);

/// As the options ask for. Collective. Throws ConfigurationError when a preset does not fit the network's shape.
KnownConditionalMean find_conditional_mean(const config::CompareOptions& options, const io::File& file,
                                           const NeuronSample& sample, const parallel::Communicator& comm);

}  // namespace rankflow::analysis
