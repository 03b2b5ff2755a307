#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "connectivity/ridge.hpp"
#include "fit/flow_preparation.hpp"
#include "flow/flow.hpp"
#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::fit {

/// Neurons with n solved for, the same on every rank.
struct TaughtNeurons {
  std::vector<double> loadings;  ///< (m, b, d) [S, variables]
  std::vector<double> n;         ///< [S, R]
};

/// Iterations of random numbers that are no epochs.
inline constexpr std::int64_t probe_iteration = std::int64_t{1} << 31;
inline constexpr std::int64_t validation_iteration = probe_iteration + 1;
inline constexpr std::int64_t judging_iteration = probe_iteration + 2;  ///< and the next one

/// Random numbers of the neurons that are drawn while a flow is fitted.
parallel::Stream teaching_stream(std::uint64_t seed, std::int64_t iteration);

/// Where the basis of the features comes from: the iterations whose neurons made it what it is, in their order.
using BasisOrigin = std::vector<std::int64_t>;

/// What the conditional flow is taught: neurons drawn from the loadings' flow, and n as the visited states require it
/// at maximum entropy. What an iteration teaches depends on the seed, the iteration, the flow and basis() only.
class FlowTeacher {
 public:
  /// All arguments must outlive the teacher; `penalty` empty: as the options say, or by the evidence of what is taught
  /// first.
  FlowTeacher(const FlowPreparation& prepared, const flow::Flow& loadings_flow,
              const connectivity::VisitedStates& states, std::optional<double> penalty,
              const parallel::Communicator& comm);

  /// Collective. Throws what sampling and solving throw.
  TaughtNeurons teach(std::int64_t iteration);
  /// The basis that solves now, and how to come back to it from one that has its first iterations. Collective.
  const BasisOrigin& basis() const noexcept { return basis_; }
  void return_to(const BasisOrigin& basis);
  /// Solution of the iteration taught last.
  const connectivity::RidgeSolution& solution() const { return *solution_; }
  double penalty() const { return *penalty_; }
  const flow::Flow& loadings_flow() const noexcept { return loadings_flow_; }

 private:
  connectivity::Loadings draw_neurons(std::int64_t iteration) const;
  connectivity::RidgeOptions options() const;
  void solve(const connectivity::Loadings& loadings, std::int64_t iteration);
  model::NeuronArray<double> draw_posterior(const connectivity::Loadings& loadings, std::int64_t iteration);
  std::vector<double> gather(const std::vector<const model::NeuronArray<double>*>& arrays) const;

  const FlowPreparation& prepared_;
  const flow::Flow& loadings_flow_;
  const connectivity::VisitedStates& states_;
  const parallel::Communicator& comm_;
  parallel::Partition partition_;
  std::optional<double> penalty_;
  std::optional<connectivity::RidgeSolver> solver_;
  std::optional<connectivity::RidgeSolution> solution_;
  BasisOrigin basis_;
};

}  // namespace rankflow::fit
