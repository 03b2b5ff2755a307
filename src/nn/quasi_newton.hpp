#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "nn/parameters.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::nn {

struct QuasiNewtonOptions {
  std::int64_t max_iterations = 1000;
  std::int64_t max_evaluations = 10000;
  double gradient_tolerance = 1e-8;          ///< converged when the gradient's norm is below
  double relative_gradient_tolerance = 0.0;  ///< or below this share of the first one
  std::int64_t memory = 20;                  ///< past steps that the Hessian is estimated from
};

/// Limits of each parameter; both empty for none, else as long as the parameters. Infinite values: no limit.
struct ParameterBounds {
  std::span<const double> lower;
  std::span<const double> upper;
};

struct QuasiNewtonResult {
  double objective = 0;
  double gradient_norm = 0;  ///< with bounds: of the part that does not push against them
  std::int64_t iterations = 0;
  std::int64_t evaluations = 0;
  bool converged = false;
  std::string reason;  ///< PETSc's name of why it ended
};

/// Returns f(x) and writes df/dx; collective, with equal results on every rank.
using SmoothObjective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

/// Minimises f from x by the limited-memory quasi-Newton method of PETSc/TAO (BLMVM) and leaves the last, best
/// point in x, on every rank. Collective: rank 0 decides where f is evaluated, so that no rounding can lead ranks
/// apart. Only elements in `trainable` move. Throws NumericalError when f or a derivative is not finite. On a serial
/// twin while MPI runs with several ranks, all of them must call it (PETSc starts).
QuasiNewtonResult minimise_quasi_newton(const parallel::Communicator& comm, std::span<double> x,
                                        std::span<const ParameterRange> trainable, const SmoothObjective& f,
                                        const QuasiNewtonOptions& options = {}, const ParameterBounds& bounds = {});

}  // namespace rankflow::nn
