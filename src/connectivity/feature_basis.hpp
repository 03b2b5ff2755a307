#pragma once
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "connectivity/features.hpp"
#include "connectivity/loadings.hpp"
#include "connectivity/visited_states.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::connectivity {

struct FeatureBasisOptions {
  /// Root mean square error of features over visited rows and neurons, relative to that of the features.
  double tolerance = 1e-5;
  std::int64_t probe_neurons = 2048;   ///< neurons whose features the functions are to span, at first
  std::int64_t candidate_rows = 2048;  ///< visited rows among which interpolation rows are chosen
  std::int64_t maximum_functions = 512;
};

/// Few functions q_1 … q_r of the visited states, orthonormal under (1/T) sum_t q_j(t) q_k(t) = delta_jk, that span the
/// features of neurons up to a tolerance: phi_i(t) ~ sum_j q_j(t) c_ij. The functions are the leading principal ones of
/// random superpositions of probe neurons (randomised range finder, Halko, Martinsson & Tropp 2011); the coefficients
/// c_i = P phi_i[S] follow from the neuron's features at few rows S (empirical interpolation by pivoted QR, Drmac &
/// Gugercin 2016, with twice as many rows as functions and least squares). The same on every rank.
class FeatureBasis {
 public:
  /// Probes are evenly spaced neurons of `loadings`; more of them and more functions are taken while error() exceeds
  /// the tolerance. When all are used, or maximum_functions are, error() says what was reached. Throws
  /// ConfigurationError for options out of range, InputDataError when no neuron responds to anything. Collective.
  FeatureBasis(const VisitedStates& states, const Loadings& loadings, const FeatureBasisOptions& options,
               const parallel::Communicator& comm);

  /// Adds functions for those neurons that the basis leaves the largest errors of, until the error of all is below
  /// `tolerance` or 64 neurons are in; error() stays that of the neurons it was built from. Where
  /// there are few functions (100) it costs half of what a new basis does, where there are many (450) somewhat more;
  /// but what earlier neurons needed stays. Returns how many were added. Collective.
  std::int64_t extend(const VisitedStates& states, const Loadings& loadings, double tolerance,
                      const parallel::Communicator& comm);

  std::int64_t functions() const noexcept { return values_.cols(); }  ///< r
  std::int64_t rows() const noexcept { return values_.rows(); }       ///< T
  /// q_j(t) [T, r].
  const Eigen::MatrixXd& values() const noexcept { return values_; }
  /// States at the interpolation rows S.
  StateRows interpolation_rows() const noexcept {
    return {static_cast<std::int64_t>(chosen_rows_.size()), z_.data(), v_.data()};
  }
  /// Their places among the visited rows.
  const std::vector<std::int64_t>& chosen_rows() const noexcept { return chosen_rows_; }
  /// P [r, S].
  const Eigen::MatrixXd& interpolation() const noexcept { return interpolation_; }
  /// Relative error over all visited rows, of 128 evenly spaced neurons: others than the probes when there are many.
  double error() const noexcept { return error_; }
  /// True when maximum_functions ended the choice.
  bool exhausted() const noexcept { return exhausted_; }
  /// (1/T) sum_t q_j(t) y(t) [r, R].
  const Eigen::MatrixXd& targets() const noexcept { return targets_; }
  /// (1/T) sum_t |y(t) - sum_j q_j(t) targets_j|^2 summed over components, and (1/T) sum_t |y(t)|^2.
  double unexplained() const noexcept { return unexplained_; }
  double target_square() const noexcept { return target_square_; }

 private:
  void choose_functions(const VisitedStates& states, const Loadings& probes, double cutoff, std::int64_t maximum);
  void choose_rows(const VisitedStates& states, std::int64_t candidates);
  double measure(const VisitedStates& states, const Loadings& neurons) const;
  void project_targets(const VisitedStates& states);
  std::int64_t add_functions(Eigen::MatrixXd columns, double least);

  std::int64_t candidate_rows_, maximum_;
  Eigen::MatrixXd values_;
  std::vector<std::int64_t> chosen_rows_;
  std::vector<double> z_, v_;
  Eigen::MatrixXd interpolation_;
  Eigen::MatrixXd targets_;
  double unexplained_ = 0.0;
  double target_square_ = 0.0;
  double error_ = 0.0;
  bool exhausted_ = false;
};

}  // namespace rankflow::connectivity
