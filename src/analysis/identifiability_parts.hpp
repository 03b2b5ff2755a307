#pragma once
#include <vector>

#include "connectivity/posterior.hpp"
#include "model/network.hpp"

namespace rankflow::analysis {

/// The given n = H n + (1 - H) n with the resolution matrix H = sum_k gamma_k / (gamma_k + lambda) w_k w_k^T, w_k the
/// orthonormal directions of R^N that the visited states excite: what they require of n, and what they leave free. In
/// direction k data weigh more than the prior when gamma_k > lambda.
///
/// What the free part can do. Multiplied by any factor a it changes the drive over the visited rows, in root mean
/// square, by
///   a (sum_k gamma_k (lambda / (gamma_k + lambda))^2 (w_k . n)^2 / N)^(1/2)  <=  a sqrt(lambda)/2 rms(n),
/// since sqrt(g) l / (g + l) <= sqrt(l) / 2. The same bound holds for (1 - H) applied to any other vector.
struct ConnectivityParts {
  std::vector<double> size;            ///< root mean square of n_r over neurons [R]
  std::vector<double> required;        ///< of H n_r [R]
  std::vector<double> free;            ///< of (1 - H) n_r [R]
  std::vector<double> drive;           ///< root mean square over visited rows of (1/N) n_r . phi [R]
  std::vector<double> required_drive;  ///< of (H n_r)
  std::vector<double> free_drive;      ///< of (1 - H) n_r: what a change of the free part by its own size does
  double misfit = 0;      ///< of the data's drive, what the given n misses: mean square over that of the drive
  double free_bound = 0;  ///< of free drive over rms(n): sqrt(lambda) / 2 and the error of the features
  // Of this rank's neurons.
  model::NeuronArray<double> required_part;  ///< H n [N, R]
  model::NeuronArray<double> free_part;      ///< (1 - H) n [N, R]
  model::NeuronArray<double> estimate;       ///< E[n | m, b, d] given the data [N, R]
  model::NeuronArray<double> resolution;     ///< H_ii [N]: share of n_i's variance that the data take away
};

/// Collective.
ConnectivityParts connectivity_parts(const connectivity::Posterior& posterior, const connectivity::Loadings& loadings,
                                     double penalty, const model::Network<double>& network,
                                     const parallel::Communicator& comm);

/// Root mean square over all neurons of each column. Collective.
std::vector<double> root_mean_squares(const model::NeuronArray<double>& values, const parallel::Partition& partition,
                                      const parallel::Communicator& comm);

}  // namespace rankflow::analysis
