#include <cmath>

#include <gtest/gtest.h>
#include <mpi.h>

#include "connectivity/posterior.hpp"
#include "connectivity/ridge.hpp"
#include "connectivity_support.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

using testing::random_loadings;
using testing::random_states;
using testing::Shape;
using testing::smooth_drive;

/// Everything that ranks must agree on bit by bit; n of all neurons.
struct Outcome {
  std::vector<std::vector<double>> numbers;
  friend bool operator==(const Outcome&, const Outcome&) = default;

  void add(const Eigen::MatrixXd& values) { numbers.emplace_back(values.data(), values.data() + values.size()); }
  void add_neurons(const model::NeuronArray<double>& n, const parallel::Partition& mine,
                   const parallel::Communicator& comm) {
    std::vector<double> rows;
    for (std::int64_t i = 0; i < mine.count(); ++i)
      for (int r = 0; r < n.columns(); ++r) rows.push_back(n.at(i, r));
    std::vector<double> all(static_cast<std::size_t>(mine.global_count() * n.columns()));
    comm.all_gather<double>(rows, all, comm.all_gather(static_cast<std::int64_t>(rows.size())));
    numbers.push_back(std::move(all));
  }
};

Outcome outcome(const Shape& shape, std::uint64_t seed, const parallel::Communicator& comm) {
  Outcome found;
  const auto states = random_states(300, shape, 1, smooth_drive);
  const auto loadings = random_loadings(shape, seed, comm);
  for (const auto form : {RidgeForm::neurons, RidgeForm::times, RidgeForm::reduced, RidgeForm::iterative}) {
    RidgeOptions options;
    options.form = form;
    // Fewer neurons than rows leave noise, by which the direct forms also find their penalty.
    const bool direct = form == RidgeForm::neurons || form == RidgeForm::times;
    if (!direct || shape.neurons > states.rows) options.penalty = 1e-3;
    options.tolerance = form == RidgeForm::iterative ? 1e-9 : 1e-4;
    const auto solution = solve_ridge(states, loadings, options, comm);
    found.add_neurons(solution.n, loadings.partition, comm);
    found.numbers.push_back({solution.penalty, solution.noise_variance, solution.log_evidence,
                             solution.effective_parameters, solution.certificate.residual, solution.relative_misfit});
  }
  const FeatureBasis basis(states, loadings, {.tolerance = 1e-4}, comm);
  const Posterior posterior(basis, loadings, comm);
  const auto variances = posterior.spectrum().variances(1e-3);
  const auto draw = posterior.draw(variances, 5, 0, comm);
  found.add_neurons(draw, loadings.partition, comm);
  found.add_neurons(posterior.project(draw, 1e-3, comm).free, loadings.partition, comm);
  found.add(posterior.functionals(variances, draw, comm).deviation);
  found.add(posterior.drive(variances, rows_of(states, 3, 20), comm).deviation);
  return found;
}

/// n of neurons that extend the basis of others.
Outcome extended_outcome(double factor, const parallel::Communicator& comm) {
  const Shape shape{.neurons = 1100};
  const auto states = random_states(300, shape, 1, smooth_drive);
  RidgeOptions options;
  options.form = RidgeForm::reduced;
  options.penalty = 1e-3;
  options.tolerance = 1e-4;
  RidgeSolver solver(states, options);
  solver.basis(random_loadings(shape, 2, comm), comm);
  auto loadings = random_loadings(shape, 3, comm);
  for (const std::int64_t neuron : {7, 1050})
    if (loadings.partition.begin() <= neuron && neuron < loadings.partition.end())
      for (int r = 0; r < shape.rank; ++r) loadings.m.at(neuron - loadings.partition.begin(), r) *= factor;
  const auto solution = solver.solve(loadings, comm);
  EXPECT_GT(solver.bases_extended(), 0);
  Outcome found;
  found.add_neurons(solution.n, loadings.partition, comm);
  return found;
}

TEST(RidgeOnRanks, ExtendsABasisToTheSameBits) {
  const auto comm = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const auto alone = extended_outcome(20.0, parallel::Communicator());
  EXPECT_EQ(extended_outcome(20.0, comm), alone);
  EXPECT_NE(extended_outcome(21.0, comm), alone) << "control: other neurons";
}

TEST(RidgeOnRanks, GivesTheBitsOfOneRank) {
  const auto comm = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  // One tile, which leaves ranks without neurons; three, the last of them with few.
  for (const std::int64_t neurons : {100, 1100}) {
    const Shape shape{.neurons = neurons, .inputs = 1, .has_bias = true};
    const auto alone = outcome(shape, 2, parallel::Communicator());
    EXPECT_EQ(outcome(shape, 2, comm), alone) << neurons;
    EXPECT_NE(outcome(shape, 3, comm), alone) << "control: other neurons";
  }
}

TEST(RidgeOnRanks, AllRanksReportTheNeuronThatIsNotFinite) {
  const auto comm = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const Shape shape{.neurons = 1100};
  const auto states = random_states(300, shape, 1, smooth_drive);
  auto loadings = random_loadings(shape, 2, comm);
  if (loadings.partition.begin() <= 1050 && 1050 < loadings.partition.end())
    loadings.m.at(1050 - loadings.partition.begin(), 0) = std::nan("");
  try {
    check_loadings(loadings, states, comm);
    FAIL() << "not refused";
  } catch (const InputDataError& error) {
    EXPECT_NE(std::string(error.what()).find("neuron 1050"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rankflow::connectivity
