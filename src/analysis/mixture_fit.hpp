#pragma once
#include <cstdint>
#include <vector>

#include "analysis/mixture_model.hpp"
#include "analysis/mixture_rows.hpp"
#include "analysis/mixture_tiles.hpp"
#include "parallel/communicator.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::analysis {

/// Which rows a fit uses: 1 or 0 for each of this rank's rows, in tiles, padding 0.
using RowChoice = std::vector<double>;

/// Every row but the padding.
RowChoice all_rows(const parallel::Partition& partition);

struct MixtureFitOptions {
  int components = 1;
  std::int64_t starts = 5;       ///< k-means++ starts, each followed for a few iterations; the best is followed on
  std::int64_t most = 500;       ///< iterations
  double tolerance = 1e-6;       ///< least gain of the objective per row and iteration, nats
  double regularisation = 1e-4;  ///< rows believed to vary as all do, for each component: a share of all rows
  std::uint64_t seed = 1;
  std::uint32_t fold = 0;  ///< numbers of their own for fits that differ in the rows chosen
};

/// A mixture of scaled variables.
struct MixtureFit {
  MixtureModel model;
  double log_likelihood = 0;      ///< per row chosen, nats
  std::vector<double> objective;  ///< log-likelihood per row less the penalty, after each iteration: never falls
  bool converged = false;
};

/// Expectation maximisation of
///   mean log p(row) − (regularisation / 2) Σ_k (tr S_k⁻¹ + log det S_k),
/// whose covariance update is S_k = (scatter_k + c I) / (rows_k + c) with c = regularisation rows: c rows of every
/// component are believed to vary as all rows do. So the objective never falls, no component collapses onto a row, and
/// one that loses its rows is none of outliers. Rows are dealt to ranks, sums are exact: the same bits on any number of
/// ranks. Collective. Throws InputDataError when there are not more rows than components.
MixtureFit fit_mixture(const MixtureRows& rows, const RowChoice& chosen, const MixtureFitOptions& options,
                       const parallel::Communicator& comm);

/// Log-density of every row of this rank, nats per row of scaled variables, in tiles.
std::vector<double> log_densities(const MixtureRows& rows, const MixtureModel& scaled);

/// k-means++ (Arthur & Vassilvitskii 2007): centres are rows, each drawn with probability proportional to its squared
/// distance to those before. Collective.
std::vector<Eigen::VectorXd> choose_centres(const MixtureRows& rows, const RowChoice& chosen, int count,
                                            std::uint64_t seed, parallel::Draw draw,
                                            const parallel::Communicator& comm);

}  // namespace rankflow::analysis
