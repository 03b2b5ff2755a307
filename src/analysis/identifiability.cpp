#include "analysis/identifiability.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

/// Mean square of the given n over neurons and latents.
double mean_square_weight(const model::Network<double>& network, const parallel::Communicator& comm) {
  double sum = 0;
  for (const double size : root_mean_squares(network.n, network.partition, comm)) sum += size * size / network.rank;
  return sum;
}

/// sigma^2 and s^2: by evidence, or those for which the penalty is the right one, with a prior of the given width.
connectivity::Variances choose_variances(const connectivity::Posterior& posterior,
                                         const config::IdentifiabilityOptions& options,
                                         const model::Network<double>& network, const parallel::Communicator& comm) {
  if (options.evidence) return posterior.spectrum().maximise_evidence();
  const double given =
      options.prior_deviation ? *options.prior_deviation * *options.prior_deviation : mean_square_weight(network, comm);
  // A network without any n still has widths: in units of a prior of 1.
  const double prior = given > 0 ? given : 1.0;
  return {.noise = options.penalty * prior * static_cast<double>(posterior.spectrum().rows) /
                   static_cast<double>(posterior.spectrum().neurons),
          .prior = prior};
}

FeatureSpectrum measure_spectrum(const IdentifiabilityProblem& problem, const connectivity::FeatureBasis& basis,
                                 const connectivity::Posterior& posterior,
                                 const config::IdentifiabilityOptions& options, const parallel::Communicator& comm) {
  FeatureSpectrum spectrum;
  const auto& modes = posterior.spectrum();
  spectrum.eigenvalues = modes.eigenvalues;
  spectrum.evidence = options.evidence;
  spectrum.assumed = choose_variances(posterior, options, problem.network, comm);
  spectrum.penalty = options.evidence ? modes.penalty(spectrum.assumed) : options.penalty;
  spectrum.effective = modes.effective_parameters(spectrum.penalty);
  const double left = modes.mean_square_residual(spectrum.penalty);
  // As many degrees of freedom remain as the estimate did not use.
  const auto rows = static_cast<double>(modes.rows);
  spectrum.noise_seen = left / problem.network.rank * rows / std::max(rows - spectrum.effective, 1.0);
  spectrum.misfit = basis.target_square() > 0 ? left / basis.target_square() : 0.0;
  spectrum.error = basis.error();
  return spectrum;
}

/// Root mean square, over rows and neurons, of what the reduced features leave out of the neurons'.
double spectrum_error(const FeatureSpectrum& spectrum) {
  return spectrum.error * std::sqrt(spectrum.eigenvalues.sum());
}

/// Values of one column of this rank's neurons.
std::vector<double> local_column(const model::NeuronArray<double>& values, const parallel::Partition& partition,
                                 int column) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(partition.count()));
  for (std::int64_t i = 0; i < partition.count(); ++i) out.push_back(values.at(i, column));
  return out;
}

std::vector<ComponentTails> measure_tails(const model::Network<double>& network, const ConnectivityParts& parts,
                                          const parallel::Communicator& comm) {
  std::vector<ComponentTails> tails;
  for (int r = 0; r < network.rank; ++r) {
    const auto tail_of = [&](const std::vector<double>& values) {
      return estimate_tail(values, network.neurons(), comm);
    };
    const auto given = local_column(network.n, network.partition, r);
    const auto required = local_column(parts.estimate, network.partition, r);
    auto free = given;
    for (std::size_t i = 0; i < free.size(); ++i) free[i] -= required[i];
    tails.push_back({.loading = tail_of(local_column(network.m, network.partition, r)),
                     .given = tail_of(given),
                     .required = tail_of(required),
                     .free = tail_of(free)});
  }
  return tails;
}

void require_matching(const IdentifiabilityProblem& problem) {
  const auto& states = problem.states;
  const auto& network = problem.network;
  if (states.rank != network.rank)
    throw InputDataError("{}: latents of rank {}, but the network's m has rank {}; give latents of this network",
                         problem.origin.description, states.rank, network.rank);
  if (states.inputs != network.inputs)
    throw InputDataError("{}: {} input channel(s), but the network has {}", problem.origin.description, states.inputs,
                         network.inputs);
}

}  // namespace

IdentifiabilityReport analyze_identifiability(const IdentifiabilityProblem& problem,
                                              const config::IdentifiabilityOptions& options,
                                              const parallel::Communicator& comm) {
  require_matching(problem);
  const auto loadings = connectivity::loadings_of(problem.network);
  connectivity::check_visited_states(problem.states);
  connectivity::check_loadings(loadings, problem.states, comm);
  const connectivity::FeatureBasis basis(problem.states, loadings, {.tolerance = options.tolerance}, comm);
  const connectivity::Posterior posterior(basis, loadings, comm);
  IdentifiabilityReport report;
  report.neurons = problem.network.neurons();
  report.rows = problem.states.rows;
  report.dropped = problem.states.dropped;
  report.rank = problem.network.rank;
  report.inputs = problem.network.inputs;
  report.spectrum = measure_spectrum(problem, basis, posterior, options, comm);
  const auto& variances = report.spectrum.assumed;
  report.functionals = named_functionals(posterior, variances, problem.network, comm);
  report.parts = connectivity_parts(posterior, loadings, report.spectrum.penalty, problem.network, comm);
  report.parts.free_bound += spectrum_error(report.spectrum);
  report.coverage = cover_latents(posterior, variances, problem.states, options, comm);
  report.tails = measure_tails(problem.network, report.parts, comm);
  report.conditions = uniqueness_conditions({.network = problem.network,
                                             .states = problem.states,
                                             .origin = problem.origin,
                                             .posterior = posterior,
                                             .tolerance = options.tolerance,
                                             .misfit = report.spectrum.misfit,
                                             .noise_seen = report.spectrum.noise_seen,
                                             .noise_assumed = variances.noise,
                                             .worst_visited = report.coverage.worst_visited},
                                            comm);
  return report;
}

}  // namespace rankflow::analysis
