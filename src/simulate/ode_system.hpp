#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/inputs.hpp"

namespace rankflow::simulate {

/// An ordinary differential equation dy/dt = f(t, y) of one trial at a time, as implicit integrators need it. Vectors
/// are raw arrays of local_size() values, 64-byte aligned where the system is distributed. All functions but the
/// first three are collective.
class OdeSystem {
 public:
  /// `inputs` must outlive the system.
  explicit OdeSystem(model::Inputs& inputs) : inputs_(inputs), u_(static_cast<std::size_t>(inputs.channels())) {}
  virtual ~OdeSystem() = default;
  OdeSystem(const OdeSystem&) = delete;
  OdeSystem& operator=(const OdeSystem&) = delete;

  /// Values of this rank, padding included.
  virtual std::int64_t local_size() const = 0;
  /// Values that the integrator's norms average over.
  virtual std::int64_t global_size() const = 0;

  /// Says which trial follows and between which times its inputs are smooth: inputs are evaluated in [first, last]
  /// only, so that at a jump the integrator sees the value of the side it is on.
  void enter(std::int64_t trial, double first, double last);
  std::int64_t trial() const noexcept { return trial_; }

  /// ydot = f(t, y). Throws NumericalError naming quantity, trial and time when a population sum is not finite.
  virtual void rhs(double t, const double* y, double* ydot) = 0;
  /// x = (I - gamma J)^-1 b, J the Jacobian of f at y without a random bulk (it does not depend on t). x may be b.
  /// False when the matrix is singular to working precision. The same on every rank.
  virtual bool newton_solve(double gamma, const double* y, const double* b, double* x) = 0;
  /// jv = J v, random bulk included.
  virtual void jacobian_times(const double* y, const double* v, double* jv) = 0;
  /// True when newton_solve() inverts all of J.
  virtual bool newton_is_exact() const = 0;

 protected:
  /// u(t) of the trial, time confined to the smooth piece.
  const double* input(double t);
  /// Throws NumericalError when one of `values` is not finite: "<quantity>_<index> is nan in trial 3 at t = 0.25 s".
  void require_finite(std::span<const double> values, const char* quantity, double t) const;

 private:
  model::Inputs& inputs_;
  std::vector<double> u_;
  std::int64_t trial_ = 0;
  double first_ = 0.0;
  double last_ = 0.0;
};

}  // namespace rankflow::simulate
