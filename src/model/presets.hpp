#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "config/network_options.hpp"

namespace rankflow::model {

/// A named network: populations over (m, n, b) as a configuration could give them, activation tanh, tau 0.1 s.
struct PresetNetwork {
  std::string_view name;
  std::string_view description;
  int rank = 0;
  int inputs = 0;
  std::vector<config::PopulationOptions> populations;
};

/// The parameters of a preset.
///
/// Rank 2, no input, from Kim et al. 2026 ("Identifying Connectivity Distributions from Neural Dynamics Using
/// Flows", arXiv 2603.26506):
///   bistable, limit_cycle, ring_attractor: zero-mean Gaussian, var m_r = 1, var n_r = 4 and overlaps
///     Sigma_rs = cov(n_r, m_s): [[1.2, 0.8], [0, 1.6]], [[1.6, -0.8], [0.8, 1.6]], [[1.6, 0], [0, 1.6]];
///   quadstable: four equal components of isotropic variance 0.25 with means m = (a, b), n = (2.31/0.87) m for
///     the four sign pairs a, b = +-0.87.
/// Rank 1, one input, after the perceptual decision network of Dubreuil, Valente et al. 2022 (own numbers):
///   decision: zero-mean Gaussian, var m = 1, var n = 7, var b = 1, cov(n, m) = 1.4, cov(n, b) = 2. The overlap
///     1.4 > 1 makes two stable choices of the sign of kappa, cov(n, b) integrates the input.
PresetNetwork preset_network(config::Preset preset);

/// The table of all presets for the documentation.
std::string preset_table_markdown();

}  // namespace rankflow::model
