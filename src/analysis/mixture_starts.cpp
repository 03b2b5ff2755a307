#include <cmath>
#include <limits>

#include "analysis/mixture_fit.hpp"
#include "core/error.hpp"
#include "parallel/draws.hpp"

namespace rankflow::analysis {
namespace {

constexpr double unreached = std::numeric_limits<double>::infinity();

/// The race for one centre: row i with rate w_i has the time E_i / w_i, E_i exponential; the first wins with
/// probability w_i / Σ w. No sum over rows is needed, and each row's time is its own. Returns the winner's values.
Eigen::VectorXd race(const MixtureRows& rows, const std::vector<double>& rates, const std::vector<double>& times,
                     const parallel::Communicator& comm) {
  double best = unreached;
  std::int64_t winner = -1;
  for (std::int64_t i = 0; i < rows.partition().count(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (rates[place] > 0 && times[place] / rates[place] < best) {
      best = times[place] / rates[place];
      winner = i;
    }
  }
  double first = best;
  comm.minimum(std::span(&first, 1));
  if (first == unreached)
    throw InputDataError(
        "there are fewer distinct neurons than populations asked for: lower populations.most, or use more neurons");
  Eigen::VectorXd values = Eigen::VectorXd::Constant(rows.variables(), -unreached);
  if (winner >= 0 && best == first)
    for (int v = 0; v < rows.variables(); ++v) values[v] = rows.at(winner, v);
  comm.maximum(std::span(values.data(), static_cast<std::size_t>(values.size())));
  return values;
}

}  // namespace

std::vector<Eigen::VectorXd> choose_centres(const MixtureRows& rows, const RowChoice& chosen, int count,
                                            std::uint64_t seed, parallel::Draw draw,
                                            const parallel::Communicator& comm) {
  const auto& partition = rows.partition();
  const parallel::Stream stream(seed, parallel::Purpose::population_starts);
  std::vector<double> rates = chosen;
  std::vector<double> nearest(rates.size(), unreached);
  std::vector<double> times(rates.size());
  std::vector<Eigen::VectorXd> centres;
  for (int k = 0; k < count; ++k) {
    draw.index = static_cast<std::uint32_t>(k);
    parallel::exponential<double>(stream, draw, static_cast<std::uint64_t>(partition.begin()), times);
    const auto& centre = centres.emplace_back(race(rows, rates, times, comm));
    for (std::int64_t i = 0; i < partition.count(); ++i) {
      double square = 0;
      for (int v = 0; v < rows.variables(); ++v) square += std::pow(rows.at(i, v) - centre[v], 2);
      const auto place = static_cast<std::size_t>(i);
      nearest[place] = std::min(nearest[place], square);
      rates[place] = chosen[place] * nearest[place];
    }
  }
  return centres;
}

}  // namespace rankflow::analysis
