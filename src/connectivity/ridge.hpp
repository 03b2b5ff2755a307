#pragma once
#include <cstdint>
#include <memory>
#include <optional>

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
enum class RidgeForm {
  automatic,  ///< neurons or times when these are few, reduced otherwise, iterative when the reduced residual is too
              ///< large
  neurons,    ///< Cholesky of the N x N matrix
  times,      ///< Cholesky of the T x T matrix
  reduced,    ///< in the feature basis: O(N r^2)
  iterative   ///< PETSc's conjugate gradients on the whole operator, preconditioned by the reduced form
};

struct RidgeOptions {
  std::optional<double> penalty;  ///< lambda > 0; without: noise and prior variance that maximise the evidence
  RidgeForm form = RidgeForm::automatic;
  /// Residual of the normal equations relative to their right side that automatic accepts and iterative reaches.
  double tolerance = 1e-6;
  std::int64_t maximum_iterations = 200;  ///< of iterative
  FeatureBasisOptions basis;
};

/// |Phi^T (y - Phi n / N) - lambda T n| / |Phi^T y| of the whole operator.
struct Certificate {
  double residual = 0.0;
  /// True when it is an upper bound estimated from evenly spaced rows and neurons, the whole being too large.
  bool sampled = false;
};

/// The minimiser and what is known of it. Move only.
struct RidgeSolution {
  RidgeForm form = RidgeForm::reduced;  ///< the one that was used
  double penalty = 0.0;                 ///< lambda
  double noise_variance = 0.0;          ///< sigma^2 of y, per component: by the evidence, or the residual's
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

/// Solves for the given neurons. Throws as above, InputDataError for loadings that do not fit the states (see
/// check_loadings), NumericalError when the tolerance cannot be reached. Collective; bitwise equal at any rank count.
RidgeSolution solve_ridge(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                          const parallel::Communicator& comm);

/// Solves again and again on the same states: with new neurons each time, as training a flow does. The basis is built
/// once, from the first neurons, and again from those at hand when their residual exceeds the tolerance.
class RidgeSolver {
 public:
  /// `states` must outlive the solver.
  RidgeSolver(const VisitedStates& states, const RidgeOptions& options);
  RidgeSolver(RidgeSolver&&) noexcept;
  ~RidgeSolver();

  /// As solve_ridge. Collective.
  RidgeSolution solve(const Loadings& loadings, const parallel::Communicator& comm);
  /// Bases built so far.
  std::int64_t bases_built() const noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rankflow::connectivity
