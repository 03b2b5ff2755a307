#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "connectivity/ridge.hpp"
#include "connectivity_support.hpp"
#include "io/hdf5_file.hpp"

namespace rankflow::connectivity {
namespace {

namespace fs = std::filesystem;
using testing::matrix_of;

/// The published networks (Kim et al. 2026) in the folder beside the repository, whose root is where tests run.
class PublishedConnector : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (fs::exists(path())) return;
    const char* const required = std::getenv("RANKFLOW_SHARED");
    const char* const ci = std::getenv("CI");
    if ((required != nullptr && std::string(required) == "required") || (ci != nullptr && std::string(ci) == "true"))
      FAIL() << path() << " is missing, and here this test may not be skipped";
    std::cout << "!!! SKIPPED: " << path() << " is missing: the published solution is NOT compared with\n";
    GTEST_SKIP() << path() << " is missing";
  }
  static fs::path path() {
    return fs::absolute(fs::path("..") / "shared" / "data" / "published" / ("connector_" + GetParam() + ".h5"));
  }
};

/// n of the first 300 neurons as NumPy 1.24 solves the published formula, of every twelfth trial of the training set:
/// S (X^T X + lambda S^2 / alpha^2)^-1 X^T Y / alpha with lambda = 1e-4, alpha = 0.1, Y = z(t+1) - (1 - alpha) z(t).
struct Reference {
  std::array<double, 2> first, last;
  double norm;
};
Reference reference_of(const std::string& system) {
  if (system == "quadstable") return {{2.92702416, 2.8354366}, {-2.19258821, 1.65614377}, 53.306145909481394};
  return {{-1.67531193, 2.85996174}, {-2.55956063, 2.50398842}, 42.027822923364745};
}

TEST_P(PublishedConnector, SolutionIsThePublishedOne) {
  constexpr std::int64_t neurons = 300;
  constexpr double alpha = 0.1;
  const parallel::Communicator comm;
  const auto file = io::File::open(comm, path());
  const auto m = file.read_all<double>("/m");
  const auto latents = file.read_all<double>("/latents");
  const auto train = file.read_all<std::int64_t>("/split_fold1_seed1/train");
  std::vector<double> chosen;
  for (std::size_t k = 0; k < train.size(); k += 12) {
    const auto first = latents.begin() + train[k] * 200;
    chosen.insert(chosen.end(), first, first + 200);
  }
  const auto states = visited_states(
      {.trials = 20, .steps = 100, .rank = 2, .inputs = 0, .latents = chosen, .signals = {}, .mask = {}}, alpha);
  const auto loadings = loadings_from_rows(parallel::Partition(neurons, 1, 0), model::Activation::tanh, 2, 0, false,
                                           std::span(m).first(static_cast<std::size_t>(2 * neurons)));
  RidgeOptions options;
  options.penalty = 1e-4 * static_cast<double>(neurons) / (alpha * alpha * static_cast<double>(states.rows));
  const auto expected = reference_of(GetParam());
  for (const auto form : {RidgeForm::neurons, RidgeForm::times, RidgeForm::reduced}) {
    options.form = form;
    options.tolerance = 1e-9;
    const auto n = matrix_of(solve_ridge(states, loadings, options, comm).n, loadings.partition);
    // Nine digits are quoted of single values, all of the norm.
    for (int r = 0; r < 2; ++r) {
      EXPECT_NEAR(n(0, r), expected.first[static_cast<std::size_t>(r)], 2e-8);
      EXPECT_NEAR(n(neurons - 1, r), expected.last[static_cast<std::size_t>(r)], 2e-8);
    }
    EXPECT_NEAR(n.norm(), expected.norm, 1e-8);
  }
  options.penalty = 1.01 * *options.penalty;
  const auto other = matrix_of(solve_ridge(states, loadings, options, comm).n, loadings.partition);
  EXPECT_GT(std::abs(other.norm() - expected.norm), 1e-4) << "control: another penalty";
}

INSTANTIATE_TEST_SUITE_P(Systems, PublishedConnector, ::testing::Values("quadstable", "limit_cycle"),
                         [](const auto& system) { return system.param; });

}  // namespace
}  // namespace rankflow::connectivity
