#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "analysis/identifiability_conditions.hpp"
#include "analysis/identifiability_coverage.hpp"
#include "analysis/identifiability_functionals.hpp"
#include "analysis/identifiability_parts.hpp"
#include "analysis/identifiability_tails.hpp"
#include "config/identifiability_options.hpp"
#include "connectivity/posterior.hpp"
#include "model/network.hpp"

namespace rankflow::analysis {

/// A network and the latents that are known of it. The neurons are this rank's, the states the same on every rank.
struct IdentifiabilityProblem {
  const model::Network<double>& network;
  const connectivity::VisitedStates& states;
  DataOrigin origin;
};

/// Tails of one latent's connectivity.
struct ComponentTails {
  TailEstimate loading;   ///< m
  TailEstimate given;     ///< n
  TailEstimate required;  ///< E[n | m, b, d]
  TailEstimate free;      ///< n - E[n | m, b, d]
};

/// How strongly the visited states excite the neurons, and with what penalty and variances the rest was computed.
struct FeatureSpectrum {
  Eigen::VectorXd eigenvalues;      ///< gamma [r], of (1/(N T)) Phi Phi^T, descending
  double penalty = 0;               ///< lambda
  bool evidence = false;            ///< lambda by evidence
  connectivity::Variances assumed;  ///< sigma^2 and s^2 behind lambda and all widths
  double noise_seen = 0;            ///< residual variance of y per component
  double effective = 0;             ///< sum_k gamma_k / (gamma_k + lambda)
  double misfit = 0;                ///< residual mean square of y over that of y
  double error = 0;                 ///< relative error of the features that stand for the neurons'
};

struct IdentifiabilityReport {
  std::int64_t neurons = 0, rows = 0, dropped = 0;
  int rank = 0, inputs = 0;
  FeatureSpectrum spectrum;
  std::vector<NamedFunctional> functionals;
  ConnectivityParts parts;
  Coverage coverage;
  std::vector<ComponentTails> tails;  ///< [R]
  std::vector<Condition> conditions;
};

/// All that `rankflow analyze identifiability` finds out; the same bits on any number of ranks. Collective.
/// Throws InputDataError for states and networks that do not belong together, NumericalError when the evidence has no
/// maximum.
IdentifiabilityReport analyze_identifiability(const IdentifiabilityProblem& problem,
                                              const config::IdentifiabilityOptions& options,
                                              const parallel::Communicator& comm);

}  // namespace rankflow::analysis
