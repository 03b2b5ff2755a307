#pragma once
#include <span>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "connectivity/ridge.hpp"

/// The forms of the ridge system, and what they share.
namespace rankflow::connectivity {

using Factor = Eigen::LLT<Eigen::MatrixXd>;

/// y as a matrix [T, R].
Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> targets_of(
    const VisitedStates& states);
/// Cholesky factor of gram + penalty; throws NumericalError when rounding leaves it indefinite.
Factor factor_of(Eigen::MatrixXd gram, double penalty);
/// Variances, effective parameters and evidence from the factor of gram + penalty, where gram has the eigenvalues
/// gamma_k, and from y^T (K + lambda T)^-1 y lambda = `square`, components added.
void fill_numbers(const Factor& factor, double square, const VisitedStates& states, const Loadings& loadings,
                  RidgeSolution& solution);

RidgeSolution solve_by_neurons(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                               const parallel::Communicator& comm);
RidgeSolution solve_by_times(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                             const parallel::Communicator& comm);
RidgeSolution solve_reduced(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
                            const RidgeOptions& options, const parallel::Communicator& comm);
/// Improves a reduced solution, whose penalty it takes.
void refine(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
            const RidgeOptions& options, const parallel::Communicator& comm, RidgeSolution& solution);

/// (1/N) sum_i n_i phi_i(row) over all neurons [rows, R]. Collective.
Eigen::MatrixXd drive_of(const Loadings& loadings, const model::NeuronArray<double>& n, const StateRows& rows,
                         const parallel::Communicator& comm);
/// Residual and misfit of any n, every row and neuron counted: 2 N T features.
void certify(const VisitedStates& states, const Loadings& loadings, const parallel::Communicator& comm,
             RidgeSolution& solution);
/// The same, estimated from `rows` evenly spaced rows, for a reduced solution.
void certify_reduced(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
                     const Eigen::MatrixXd& gram, std::int64_t rows, const parallel::Communicator& comm,
                     RidgeSolution& solution);

}  // namespace rankflow::connectivity
