#pragma once
#include <cstdint>

#include "smc/lane_sum.hpp"

/// Proposals and their weights over the lanes of a block. A state is [R][block_lanes]; lanes [begin, end) share
/// matrices, while what differs between trials is given lane by lane.
namespace rankflow::smc {

/// What a weight holds beside the density of the observation at the sample.
enum class WeightForm {
  marginal,   ///< everything: log p(x | mu) = peak - (mu - centre)^T form (mu - centre) / 2, the optimal proposal
  corrected,  ///< log transition - log proposal = peak - (z - mu)^T form (z - mu) / 2 + |eps|^2 / 2
  none        ///< nothing: the sample comes from the transition
};

/// z = gain mu + shift + spread eps; see OptimalUpdate and GuidedUpdate. Row-major matrices [R, R].
template <class T>
struct ProposalCoefficients {
  WeightForm weight = WeightForm::none;
  std::int64_t rank = 0;
  const T* gain = nullptr;
  const T* spread = nullptr;  ///< lower triangular
  const T* form = nullptr;
  const T* shift = nullptr;      ///< [R][block_lanes]
  const T* centre = nullptr;     ///< [R][block_lanes], marginal only
  const double* peak = nullptr;  ///< [block_lanes]
};

/// Particles of a block before and after a proposal.
template <class T>
struct ProposalStates {
  const T* mu = nullptr;
  const T* eps = nullptr;
  const T* z = nullptr;
};

template <class T>
void propose(const ProposalCoefficients<T>& coefficients, const T* mu, const T* eps, LaneRange lanes, T* z);

/// log_weights[lane] += the proposal's part.
template <class T>
void add_proposal_weights(const ProposalCoefficients<T>& coefficients, const ProposalStates<T>& states, LaneRange lanes,
                          double* log_weights);

/// Sums of adjoints by lane, added over time steps and summed over lanes at the end: [R R][block_lanes] each.
template <class T>
struct MatrixAdjoints {
  T* gain = nullptr;
  T* spread = nullptr;
  T* form = nullptr;  ///< lower half; not divided between (r, q) and (q, r)
};

/// z_adjoint: of the sample, [R][block_lanes], on input without the weight's part, which is added.
/// weight_adjoint[lane]: of the log weight. mu_adjoint is set. Matrix adjoints are added.
template <class T>
void propose_adjoint(const ProposalCoefficients<T>& coefficients, const ProposalStates<T>& states,
                     const T* weight_adjoint, LaneRange lanes, T* z_adjoint, T* mu_adjoint,
                     const MatrixAdjoints<T>& matrices);

/// Sums over the lanes of one trial.
template <class T>
struct TermAdjoints {
  T* shift = nullptr;  ///< [R]
  T* slope = nullptr;  ///< [R], adjoint of h in log p(x | mu) = kappa + h mu - ...; marginal only
  T* level = nullptr;  ///< one number
};

/// After propose_adjoint(): the terms of one trial are set.
template <class T>
void term_adjoints(std::int64_t rank, const T* mu, const T* weight_adjoint, const T* z_adjoint, LaneRange lanes,
                   const TermAdjoints<T>& terms);

}  // namespace rankflow::smc
