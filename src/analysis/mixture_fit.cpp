#include "analysis/mixture_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/LU>

#include "core/error.hpp"
#include "parallel/draws.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

using parallel::tile_size;

/// Iterations of each start before the best is chosen.
constexpr std::int64_t trial_iterations = 10;

/// Sums over the rows chosen that the next mixture is made of.
class MixtureSums {
 public:
  MixtureSums(int components, int variables)
      : components_(components),
        variables_(variables),
        each_(static_cast<std::size_t>(1 + variables + variables * (variables + 1) / 2)),
        sum_(static_cast<std::size_t>(components) * each_ + 1),
        totals_(sum_.count()) {}

  /// Adds a tile's rows with the shares of each component and their log-densities.
  void add(const MixtureRows& rows, std::int64_t tile, const double* chosen, std::span<TileValues> shares,
           const TileValues& log_density) {
    for (std::size_t k = 0; k < shares.size(); ++k) {
      double* share = shares[k].data();
      for (std::int64_t i = 0; i < tile_size; ++i) share[i] *= chosen[i];
      add_component(rows, tile, k, share);
    }
    sum_.add(sum_.count() - 1, tile_product(chosen, log_density.data()));
  }
  /// Collective.
  void finish(const parallel::Communicator& comm) { sum_.reduce(comm, totals_); }

  double log_likelihood() const { return totals_.back(); }
  /// Components without rows keep what they were.
  void maximise(MixtureModel& mixture, double regularisation) const {
    double rows = 0;
    for (int k = 0; k < components_; ++k) rows += totals_[static_cast<std::size_t>(k) * each_];
    for (int k = 0; k < components_; ++k)
      maximise_component(mixture, static_cast<std::size_t>(k), rows, regularisation);
  }

 private:
  void add_component(const MixtureRows& rows, std::int64_t tile, std::size_t k, const double* share) {
    std::size_t place = k * each_;
    TileValues ones;
    ones.values.fill(1.0);
    sum_.add(place++, tile_product(share, ones.data()));
    for (int a = 0; a < variables_; ++a) sum_.add(place++, tile_product(share, rows.tile(tile, a)));
    TileValues weighted;
    for (int a = 0; a < variables_; ++a) {
      const double* column = rows.tile(tile, a);
      for (std::int64_t i = 0; i < tile_size; ++i) weighted.data()[i] = share[i] * column[i];
      for (int b = 0; b <= a; ++b) sum_.add(place++, tile_product(weighted.data(), rows.tile(tile, b)));
    }
  }

  void maximise_component(MixtureModel& mixture, std::size_t k, double rows, double regularisation) const {
    const double* entry = totals_.data() + k * each_;
    const double count = *entry++;
    mixture.weights[k] = count / rows;
    if (count < least_rows) return;
    VectorXd& mean = mixture.means[k];
    for (int a = 0; a < variables_; ++a) mean[a] = *entry++ / count;
    MatrixXd& covariance = mixture.covariances[k];
    for (int a = 0; a < variables_; ++a)
      for (int b = 0; b <= a; ++b) {
        covariance(a, b) = *entry++ - count * mean[a] * mean[b];
        covariance(b, a) = covariance(a, b);
      }
    const double believed = regularisation * rows;
    covariance.diagonal().array() += believed;
    covariance /= count + believed;
  }

  static constexpr double least_rows = 1e-6;
  int components_;
  int variables_;
  std::size_t each_;
  parallel::ReproducibleSum sum_;
  std::vector<double> totals_;
};

/// Expectation maximisation on some rows.
class Maximisation {
 public:
  Maximisation(const MixtureRows& rows, const RowChoice& chosen, const MixtureFitOptions& options, double count,
               const parallel::Communicator& comm)
      : rows_(rows),
        chosen_(chosen),
        options_(options),
        count_(count),
        comm_(comm),
        sums_(options.components, rows.variables()),
        shares_(static_cast<std::size_t>(options.components)) {}

  /// The mixture of the clusters around k-means++ centres.
  MixtureModel start(std::uint32_t number) {
    const auto centres = choose_centres(
        rows_, chosen_, options_.components, options_.seed,
        {.trial = number, .step = options_.fold * 65536U + static_cast<std::uint32_t>(options_.components)}, comm_);
    MixtureModel mixture;
    for (const auto& centre : centres) {
      mixture.weights.push_back(1.0 / options_.components);
      mixture.means.push_back(centre);
      mixture.covariances.push_back(MatrixXd::Identity(rows_.variables(), rows_.variables()));
    }
    for (std::int64_t tile = 0; tile < rows_.partition().tiles(); ++tile) {
      assign(tile, centres);
      sums_.add(rows_, tile, chosen_.data() + tile * tile_size, shares_, total_);
    }
    sums_.finish(comm_);
    sums_.maximise(mixture, options_.regularisation);
    return mixture;
  }

  /// One iteration; returns the objective of the mixture before it.
  double step(MixtureModel& mixture) {
    const MixtureDensity density(mixture);
    for (std::int64_t tile = 0; tile < rows_.partition().tiles(); ++tile) {
      density.evaluate(rows_, tile, shares_, total_);
      sums_.add(rows_, tile, chosen_.data() + tile * tile_size, shares_, total_);
    }
    sums_.finish(comm_);
    double penalty = 0;
    for (const auto& covariance : mixture.covariances)
      penalty += covariance.inverse().trace() + std::log(covariance.determinant());
    log_likelihood_ = sums_.log_likelihood() / count_;
    const double objective = log_likelihood_ - 0.5 * options_.regularisation * penalty;
    sums_.maximise(mixture, options_.regularisation);
    return objective;
  }

  /// Of the mixture that step() was last given.
  double log_likelihood() const noexcept { return log_likelihood_; }

 private:
  /// Whole shares to the nearest centre.
  void assign(std::int64_t tile, const std::vector<VectorXd>& centres) {
    for (std::int64_t i = 0; i < tile_size; ++i) {
      std::size_t nearest = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t k = 0; k < centres.size(); ++k) {
        double square = 0;
        for (int v = 0; v < rows_.variables(); ++v) square += std::pow(rows_.tile(tile, v)[i] - centres[k][v], 2);
        shares_[k].data()[i] = 0;
        if (square < least) {
          least = square;
          nearest = k;
        }
      }
      shares_[nearest].data()[i] = 1;
    }
  }

  const MixtureRows& rows_;
  const RowChoice& chosen_;
  const MixtureFitOptions& options_;
  double count_;
  const parallel::Communicator& comm_;
  MixtureSums sums_;
  std::vector<TileValues> shares_;
  TileValues total_;
  double log_likelihood_ = 0;
};

double count_rows(const RowChoice& chosen, const parallel::Communicator& comm) {
  std::int64_t count = 0;
  for (const double value : chosen) count += value > 0 ? 1 : 0;
  comm.sum(std::span(&count, 1));
  return static_cast<double>(count);
}

void iterate_mixture(Maximisation& em, const MixtureFitOptions& options, std::int64_t most, MixtureFit& fit) {
  for (std::int64_t k = 0; k < most && !fit.converged; ++k) {
    MixtureModel next = fit.model;
    fit.objective.push_back(em.step(next));
    const auto done = fit.objective.size();
    fit.converged = done > 1 && fit.objective[done - 1] - fit.objective[done - 2] < options.tolerance;
    if (!fit.converged) fit.model = std::move(next);
  }
}

}  // namespace

RowChoice all_rows(const parallel::Partition& partition) {
  RowChoice chosen(static_cast<std::size_t>(partition.padded_count()), 0.0);
  std::fill_n(chosen.begin(), partition.count(), 1.0);
  return chosen;
}

MixtureFit fit_mixture(const MixtureRows& rows, const RowChoice& chosen, const MixtureFitOptions& options,
                       const parallel::Communicator& comm) {
  const double count = count_rows(chosen, comm);
  if (count <= options.components)
    throw InputDataError("{} neurons are too few for {} populations: lower populations.most", count,
                         options.components);
  Maximisation em(rows, chosen, options, count, comm);
  MixtureFit best;
  for (std::int64_t s = 0; s < (options.components == 1 ? 1 : options.starts); ++s) {
    MixtureFit fit;
    fit.model = em.start(static_cast<std::uint32_t>(s));
    iterate_mixture(em, options, trial_iterations, fit);
    if (best.objective.empty() || fit.objective.back() > best.objective.back()) best = std::move(fit);
  }
  iterate_mixture(em, options, options.most, best);
  MixtureModel last = best.model;
  best.objective.push_back(em.step(last));
  best.log_likelihood = em.log_likelihood();
  return best;
}

std::vector<double> log_densities(const MixtureRows& rows, const MixtureModel& scaled) {
  const MixtureDensity density(scaled);
  std::vector<TileValues> shares(scaled.weights.size());
  TileValues total;
  std::vector<double> values;
  for (std::int64_t tile = 0; tile < rows.partition().tiles(); ++tile) {
    density.evaluate(rows, tile, shares, total);
    values.insert(values.end(), total.values.begin(), total.values.end());
  }
  return values;
}

}  // namespace rankflow::analysis
