#include "analysis/state_divergence.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "analysis/kernel_density.hpp"
#include "core/error.hpp"
#include "parallel/draws.hpp"

namespace rankflow::analysis {
namespace {

constexpr std::int64_t group = KernelDensity::group;

/// A smaller number rounds to 0 in single precision, whose least positive number is 2^-149.
constexpr double log_underflow = -150 * std::numbers::ln2;

std::vector<double> states_of(const Series& series, const char* which) {
  auto rows = complete_rows(series);
  if (rows.empty())
    throw InputDataError(
        "the {} have no time at which all {} channels were observed, so there are no states to compare; leave out "
        "channels that are missing",
        which, series.channels);
  return rows;
}

/// StateRows of the data's density: a random state plus a normal deviate per channel. Sample s depends on its number
/// only.
class StateRows {
 public:
  StateRows(std::span<const double> states, std::int64_t dimension, const DivergenceOptions& options)
      : states_(states), dimension_(static_cast<std::size_t>(dimension)), options_(options) {}

  void draw(std::int64_t first, std::span<double> points) const {
    for (std::int64_t s = 0; s < group; ++s)
      draw_one(static_cast<std::uint32_t>(first + s),
               points.subspan(static_cast<std::size_t>(s) * dimension_, dimension_));
  }

 private:
  void draw_one(std::uint32_t sample, std::span<double> point) const {
    std::uint64_t chosen = 0;
    parallel::below(stream_, {options_.comparison, sample, 0}, 0, states_.size() / dimension_, std::span(&chosen, 1));
    parallel::normal(stream_, {options_.comparison, sample, 1}, 0, point);
    for (std::size_t d = 0; d < dimension_; ++d)
      point[d] = states_[chosen * dimension_ + d] + options_.bandwidth * point[d];
  }

  std::span<const double> states_;
  std::size_t dimension_;
  const DivergenceOptions& options_;
  parallel::Stream stream_{options_.seed, parallel::Purpose::evaluation};
};

/// log p and log q of every sample, [groups, 2, group], the same on every rank.
std::vector<double> log_densities(const Series& data, const Series& generated, const DivergenceOptions& options,
                                  const parallel::Communicator& comm) {
  const auto states = states_of(data, "data");
  const KernelDensity p(states, data.channels, options.bandwidth);
  const KernelDensity q(states_of(generated, "generated series"), data.channels, options.bandwidth);
  const StateRows source(states, data.channels, options);
  const std::int64_t groups = (options.samples + group - 1) / group;
  const auto first_of = [&](int rank) { return groups * rank / comm.size(); };
  std::vector<double> points(static_cast<std::size_t>(group * data.channels)), mine, all;
  for (auto g = first_of(comm.rank()); g < first_of(comm.rank() + 1); ++g) {
    source.draw(g * group, points);
    for (const auto* density : {&p, &q}) {
      mine.resize(mine.size() + group);
      density->log_density(points, std::span(mine).last<group>());
    }
  }
  std::vector<std::int64_t> counts;
  counts.reserve(static_cast<std::size_t>(comm.size()));
  for (int rank = 0; rank < comm.size(); ++rank) counts.push_back(2 * group * (first_of(rank + 1) - first_of(rank)));
  all.resize(static_cast<std::size_t>(2 * group * groups));
  comm.all_gather(std::span<const double>(mine), all, counts);
  return all;
}

struct Mean {
  double value = 0;
  double error = 0;  ///< standard error
};

Mean mean_and_error(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return {sum / n, std::sqrt(squares / (n - 1) / n)};
}

}  // namespace

StateDivergence state_divergence(const Series& data, const Series& generated, const DivergenceOptions& options,
                                 const parallel::Communicator& comm) {
  if (data.channels != generated.channels || options.samples < 1)
    throw InternalError("divergence of {} and {} channels by {} samples", data.channels, generated.channels,
                        options.samples);
  const auto logs = log_densities(data, generated, options, comm);
  std::vector<double> all, kept;
  for (std::int64_t sample = 0; sample < options.samples; ++sample) {
    const auto place = static_cast<std::size_t>(sample / group * 2 * group + sample % group);
    const double p = logs[place], q = logs[place + group];
    all.push_back(p - q);
    if (std::min(p, q) >= log_underflow) kept.push_back(p - q);
  }
  const auto published = mean_and_error(kept), complete = mean_and_error(all);
  return {.published = published.value,
          .published_error = published.error,
          .complete = complete.value,
          .complete_error = complete.error,
          .underflows = options.samples - static_cast<std::int64_t>(kept.size())};
}

}  // namespace rankflow::analysis
