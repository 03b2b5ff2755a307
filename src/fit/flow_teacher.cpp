#include "fit/flow_teacher.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "connectivity/posterior.hpp"
#include "core/error.hpp"
#include "fit/flow_neurons.hpp"
#include "io/agreement.hpp"

namespace rankflow::fit {
namespace {

/// The first two belong to `rankflow sample`.
constexpr std::uint64_t first_teaching_stream = 2;
/// Fewer than all: what an epoch is taught is certified by a bound, what the user gets by every feature.
constexpr std::int64_t taught_certificate_features = 1'000'000;
/// A basis usually does a hundred times better; a finer one is built where it does not do this well.
constexpr double taught_tolerance = 1e-4;

}  // namespace

parallel::Stream teaching_stream(std::uint64_t seed, std::int64_t iteration) {
  return {seed, parallel::Purpose::flow_sample, first_teaching_stream + static_cast<std::uint64_t>(iteration)};
}

FlowTeacher::FlowTeacher(const FlowPreparation& prepared, const flow::Flow& loadings_flow,
                         const connectivity::VisitedStates& states, std::optional<double> penalty,
                         const parallel::Communicator& comm)
    : prepared_(prepared),
      loadings_flow_(loadings_flow),
      states_(states),
      comm_(comm),
      partition_(prepared.options().conditional_flow.neurons, comm.size(), comm.rank()),
      penalty_(penalty) {
  if (!penalty_ && !prepared.options().ridge.evidence) penalty_ = prepared.options().ridge.penalty;
}

connectivity::Loadings FlowTeacher::draw_neurons(std::int64_t iteration) const {
  // A sample that is not finite is found by the rank that draws it.
  std::optional<connectivity::Loadings> loadings;
  io::on_all_ranks(comm_, [&] {
    loadings = draw_loadings(prepared_.system, loadings_flow_, prepared_.options().sampler,
                             teaching_stream(prepared_.seed(), iteration), partition_);
  });
  return std::move(*loadings);
}

connectivity::RidgeOptions FlowTeacher::options() const {
  auto options = connectivity::ridge_options(prepared_.options().ridge);
  options.penalty = penalty_;
  options.certificate_features = taught_certificate_features;
  options.tolerance = std::max(options.tolerance, taught_tolerance);
  return options;
}

void FlowTeacher::solve(const connectivity::Loadings& loadings, std::int64_t iteration) {
  if (!penalty_) penalty_ = connectivity::solve_ridge(states_, loadings, options(), comm_).penalty;
  if (!solver_) solver_.emplace(states_, options());
  const auto changes = [&] { return solver_->bases_built() + solver_->bases_extended(); };
  const auto earlier = changes();
  solution_ = solver_->solve(loadings, comm_);
  if (changes() != earlier) basis_.push_back(iteration);
}

model::NeuronArray<double> FlowTeacher::draw_posterior(const connectivity::Loadings& loadings, std::int64_t iteration) {
  const connectivity::Posterior posterior(solver_->basis(loadings, comm_), loadings, comm_);
  return posterior.draw(posterior.spectrum().variances(penalty()), prepared_.seed(),
                        static_cast<std::uint32_t>(iteration), comm_);
}

TaughtNeurons FlowTeacher::teach(std::int64_t iteration) {
  const auto loadings = draw_neurons(iteration);
  solve(loadings, iteration);
  std::optional<model::NeuronArray<double>> drawn;
  if (prepared_.options().conditional_flow.draws) drawn = draw_posterior(loadings, iteration);
  TaughtNeurons taught;
  taught.loadings = gather({&loadings.m, &loadings.b, &loadings.bias});
  taught.n = gather({drawn ? &*drawn : &solution_->n});
  return taught;
}

void FlowTeacher::return_to(const BasisOrigin& basis) {
  if (basis_.size() > basis.size() || !std::equal(basis_.begin(), basis_.end(), basis.begin()))
    throw InternalError("the basis of the features does not begin as that of the checkpoint");
  for (auto next = basis_.size(); next < basis.size(); ++next) solve(draw_neurons(basis[next]), basis[next]);
  if (basis_ != basis) throw InternalError("the basis of the features did not become that of the checkpoint");
}

/// Columns of all arrays side by side, rows of all ranks.
std::vector<double> FlowTeacher::gather(const std::vector<const model::NeuronArray<double>*>& arrays) const {
  std::vector<double> mine;
  for (std::int64_t i = 0; i < partition_.count(); ++i)
    for (const auto* array : arrays)
      for (int c = 0; c < array->columns(); ++c) mine.push_back(array->at(i, c));
  const auto counts = comm_.all_gather(static_cast<std::int64_t>(mine.size()));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm_.all_gather(std::span<const double>(mine), std::span<double>(all), counts);
  return all;
}

}  // namespace rankflow::fit
