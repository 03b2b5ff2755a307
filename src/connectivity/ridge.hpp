#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "config/ridge_options.hpp"
#include "connectivity/conditional_mean.hpp"
#include "connectivity/feature_basis.hpp"
#include "connectivity/loadings.hpp"
#include "connectivity/visited_states.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::connectivity {

/// How the ridge system is solved. All minimise the same
///   J(n) = (1/T) sum_t |y_t - (1/N) sum_i n_i phi_i(t)|^2 + lambda (1/N) sum_i |n_i|^2,
/// which is the published n = S (X^T X + lambda_pub S^2/alpha^2)^-1 X^T Y / alpha (Kim et al. 2026) for
/// lambda = lambda_pub N / (alpha^2 T).
///   neurons, times  Cholesky of the N x N or T x T matrix
///   reduced         in the feature basis: O(N r^2)
///   iterative       PETSc's conjugate gradients on the whole operator, preconditioned by the reduced form
///   automatic       neurons or times when these are few; otherwise reduced, and iterative when its residual is too
///   large
using config::RidgeForm;

/// Of the direct forms: a dense matrix of 2 GiB.
inline constexpr std::int64_t most_direct_equations = 16384;

struct RidgeOptions {
  std::optional<double> penalty{};  ///< lambda > 0; without: noise and prior variance that maximise the evidence
  RidgeForm form = RidgeForm::automatic;
  /// Residual of the normal equations relative to their right side that reduced and iterative reach.
  double tolerance = 1e-6;
  std::int64_t maximum_iterations = 200;  ///< of iterative
  /// Features that may be evaluated to find the residual of a reduced solution: beyond, a bound is estimated.
  std::int64_t certificate_features = 200'000'000;
  /// Its tolerance is replaced: by 10 times the tolerance above, since errors of features enter the residual times what
  /// is left of y, and by less where that does not do.
  FeatureBasisOptions basis{};
};

/// Options of a configuration.
RidgeOptions ridge_options(const config::RidgeOptions& table);

/// |Phi^T (y - Phi n / N) - lambda T n| / |Phi^T y| of the whole operator, neither reduced nor rounded.
struct Certificate {
  double residual = 0.0;
  /// True when it is an upper bound, by mean squares over all neurons and evenly spaced rows, the whole being too
  /// large.
  bool sampled = false;
};

/// The minimiser and what is known of it. Move only.
struct RidgeSolution {
  RidgeForm form = RidgeForm::reduced;  ///< the one that was used
  double penalty = 0.0;                 ///< lambda
  double noise_variance = 0.0;          ///< sigma^2 of y, per component, that maximises the evidence at this penalty
  double prior_variance = 0.0;          ///< s^2 of n: sigma^2 N / (lambda T)
  double effective_parameters = 0.0;    ///< sum_k gamma_k / (gamma_k + lambda), per component
  double log_evidence = 0.0;            ///< log p(y | sigma^2, s^2), nats
  double relative_misfit = 0.0;         ///< |y - Phi n / N| / |y|
  std::int64_t functions = 0;           ///< r of the basis that was used; 0 for the direct forms
  std::int64_t iterations = 0;          ///< of iterative
  Certificate certificate;
  model::NeuronArray<double> n;  ///< [N, R], this rank's neurons: the posterior mean
  ConditionalMean mean;          ///< the same as a function of the loadings
};

/// Throws ConfigurationError for a penalty, tolerance or iteration limit out of range.
void check_ridge_options(const RidgeOptions& options);

/// Solves again and again on the same states: with new neurons each time, as training a flow does. The basis is built
/// once, from the first neurons, and changed when the residual of others exceeds the tolerance: extended by those it
/// serves badly, or, when that does not do, built again, finer and from those at hand. A solution that does not change
/// it leaves no trace: a solver that solves for the same neurons, those alone that changed it, comes to the same basis.
class RidgeSolver {
 public:
  /// `states` must outlive the solver. Throws as check_ridge_options and check_visited_states.
  RidgeSolver(const VisitedStates& states, const RidgeOptions& options);

  /// Throws InputDataError for loadings that do not fit the states (check_loadings), ConfigurationError for direct
  /// forms beyond 16384 equations, NumericalError when the tolerance cannot be reached. Collective; bitwise equal at
  /// any rank count.
  RidgeSolution solve(const Loadings& loadings, const parallel::Communicator& comm);
  /// The basis, built from these neurons when there is none yet: for posterior distributions, and, before the first
  /// solution, to build it from many more neurons than each solution has, so that it serves all of them. Collective.
  const FeatureBasis& basis(const Loadings& loadings, const parallel::Communicator& comm);
  /// Bases built so far, and times that one was extended.
  std::int64_t bases_built() const noexcept { return bases_built_; }
  std::int64_t bases_extended() const noexcept { return bases_extended_; }

 private:
  void build_basis(const Loadings& loadings, const parallel::Communicator& comm);
  RidgeForm choose_form(const Loadings& loadings) const;
  RidgeSolution reduced(const Loadings& loadings, const parallel::Communicator& comm);
  void improve_basis(const Loadings& loadings, bool of_others, int attempt, const parallel::Communicator& comm);

  const VisitedStates& states_;
  RidgeOptions options_;
  FeatureBasisOptions basis_options_;
  std::unique_ptr<FeatureBasis> basis_;
  std::int64_t bases_built_ = 0;
  std::int64_t bases_extended_ = 0;
};

/// One solution: RidgeSolver(states, options).solve(loadings, comm).
RidgeSolution solve_ridge(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                          const parallel::Communicator& comm);

}  // namespace rankflow::connectivity
