#include "connectivity/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <Eigen/Eigenvalues>

#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

constexpr double smallest_penalty = 1e-13;
constexpr double largest_penalty = 1e6;
constexpr int penalties_tried = 200;
/// Noise below this share of the drive is rounding, of latents in single precision too.
constexpr double least_noise = 1e-6;

[[noreturn]] void refuse_noiseless(const std::string& found) {
  throw NumericalError(
      "the evidence finds no noise ({}): the neurons reproduce the drive exactly, and noise-free latents have no "
      "maximum; "
      "give a penalty instead (ridge.penalty)",
      found);
}

}  // namespace

double Spectrum::penalty(const Variances& variances) const {
  return variances.noise * static_cast<double>(neurons) / (variances.prior * static_cast<double>(rows));
}

Variances Spectrum::variances(double penalty) const {
  // y^T (K + lambda T)^-1 y has the mean T / lambda times sigma^2 per component.
  const Eigen::ArrayXd left = penalty / (eigenvalues.array() + penalty);
  const double square = unexplained + (targets.rowwise().squaredNorm().array() * left).sum();
  const double noise = square / static_cast<double>(targets.cols());
  return {.noise = noise, .prior = noise * static_cast<double>(neurons) / (penalty * static_cast<double>(rows))};
}

double Spectrum::effective_parameters(double penalty) const {
  return (eigenvalues.array() / (eigenvalues.array() + penalty)).sum();
}

double Spectrum::mean_square_residual(double penalty) const {
  const Eigen::ArrayXd left = penalty / (eigenvalues.array() + penalty);
  return unexplained + (targets.rowwise().squaredNorm().array() * left.square()).sum();
}

double Spectrum::log_evidence(const Variances& variances) const {
  const double lambda = penalty(variances);
  const double components = static_cast<double>(targets.cols());
  const double steps = static_cast<double>(rows);
  const Eigen::ArrayXd ratio = eigenvalues.array() / lambda;
  const double square = unexplained + (targets.rowwise().squaredNorm().array() / (1.0 + ratio)).sum();
  return -0.5 * (components * (steps * std::log(2.0 * std::numbers::pi * variances.noise) + ratio.log1p().sum()) +
                 steps * square / variances.noise);
}

Variances Spectrum::maximise_evidence() const {
  const double scale = eigenvalues[0];
  const auto evidence = [&](double log_penalty) { return log_evidence(variances(scale * std::exp(log_penalty))); };
  const double low = std::log(smallest_penalty);
  const double spacing = (std::log(largest_penalty) - low) / penalties_tried;
  int best = 0;
  double highest = evidence(low);
  for (int k = 1; k <= penalties_tried; ++k)
    if (const double value = evidence(low + k * spacing); value > highest) {
      highest = value;
      best = k;
    }
  const double tried = scale * std::exp(low + best * spacing);
  if (best == 0) refuse_noiseless(fmt::format("it grows to the end of the range tried, penalty {:.3g}", tried));
  if (best == penalties_tried || !std::isfinite(highest))
    throw NumericalError(
        "the evidence finds nothing but noise (it grows to the end of the range tried, penalty {:.3g}): the neurons' "
        "features do not explain the drive; give loadings and latents of the same network",
        tried);
  // Golden section: unimodal between the neighbours of the best.
  constexpr double golden = std::numbers::phi - 1.0;
  double a = low + (best - 1) * spacing;
  double b = low + (best + 1) * spacing;
  for (int step = 0; step < 60; ++step) {
    const double c = b - golden * (b - a);
    const double d = a + golden * (b - a);
    (evidence(c) > evidence(d) ? b : a) = evidence(c) > evidence(d) ? d : c;
  }
  const auto found = variances(scale * std::exp(0.5 * (a + b)));
  const double components = static_cast<double>(targets.cols());
  const double share = std::sqrt(found.noise * components / (unexplained + targets.squaredNorm()));
  if (share < least_noise) refuse_noiseless(fmt::format("{:.2g} of the drive, which is rounding", share));
  return found;
}

Spectrum spectrum_of(const Eigen::MatrixXd& gram, const Eigen::MatrixXd& targets, double unexplained, std::int64_t rows,
                     std::int64_t neurons, Eigen::MatrixXd& directions) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
  if (solver.info() != Eigen::Success)
    throw NumericalError(
        "the {} x {} matrix of the visited features has no eigenvalues that can be found: it holds "
        "values that are not finite",
        gram.rows(), gram.cols());
  directions = solver.eigenvectors().rowwise().reverse();
  return {.rows = rows,
          .neurons = neurons,
          .eigenvalues = solver.eigenvalues().reverse().cwiseMax(0.0),
          .targets = directions.transpose() * targets,
          .unexplained = unexplained};
}

}  // namespace rankflow::connectivity
