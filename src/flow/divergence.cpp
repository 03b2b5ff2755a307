#include "flow/divergence.hpp"

#include <algorithm>
#include <vector>

#include "parallel/draws.hpp"

namespace rankflow::flow {

Divergence::Divergence(const Flow& flow, std::int64_t rows, std::int64_t probes)
    : flow_(flow),
      rows_(rows),
      probes_(probes),
      variables_(flow.network.variables()),
      weights_(flow.network, false),
      pass_(flow.network, rows, probes == 0 ? variables_ : probes) {
  weights_.load(flow.parameters);
  if (probes > 0) return;
  for (std::int64_t v = 0; v < variables_; ++v)
    for (std::int64_t row = 0; row < rows; ++row) pass_.direction(v, row)[v] = 1.0;
}

void Divergence::set_conditions(std::span<const double> conditions) {
  const auto columns = static_cast<std::size_t>(flow_.network.conditions());
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const std::size_t c = i % columns;
    pass_.input(static_cast<std::int64_t>(i / columns))[variables_ + static_cast<std::int64_t>(c)] =
        (conditions[i] - flow_.condition_mean[c]) / flow_.condition_scale[c];
  }
}

void Divergence::draw_probes(std::uint64_t seed, std::int64_t first) {
  const parallel::Stream stream(seed, parallel::Purpose::flow_probe);
  std::vector<std::uint32_t> bits(static_cast<std::size_t>(rows_));
  for (std::int64_t probe = 0; probe < probes_; ++probe)
    for (std::int64_t v = 0; v < variables_; ++v) {
      parallel::raw(stream, {.step = static_cast<std::uint32_t>(probe), .index = static_cast<std::uint32_t>(v)},
                    static_cast<std::uint64_t>(first), bits);
      for (std::int64_t row = 0; row < rows_; ++row)
        pass_.direction(probe, row)[v] = bits[static_cast<std::size_t>(row)] % 2 == 0 ? -1.0 : 1.0;
    }
}

void Divergence::evaluate(double t, std::span<const double> x, std::span<double> velocities,
                          std::span<double> divergences) {
  for (std::size_t row = 0; row < divergences.size(); ++row)
    std::copy_n(x.data() + static_cast<std::int64_t>(row) * variables_, variables_,
                pass_.input(static_cast<std::int64_t>(row)));
  pass_.set_time(t);
  pass_.run(weights_);
  for (std::int64_t row = 0; row < std::ssize(divergences); ++row) {
    std::copy_n(pass_.velocity(row), variables_, velocities.data() + row * variables_);
    double trace = 0;
    for (std::int64_t k = 0; k < pass_.directions(); ++k) {
      const double* const direction = pass_.direction(k, row);
      const double* const derivative = pass_.derivative(k, row);
      for (std::int64_t v = 0; v < variables_; ++v) trace += direction[v] * derivative[v];
    }
    divergences[static_cast<std::size_t>(row)] = probes_ == 0 ? trace : trace / static_cast<double>(probes_);
  }
}

}  // namespace rankflow::flow
