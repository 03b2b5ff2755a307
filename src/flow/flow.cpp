#include "flow/flow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"

namespace rankflow::flow {
namespace {

std::vector<double> filled(std::int64_t count, double value) {
  return std::vector<double>(static_cast<std::size_t>(count), value);
}

void require_scales(std::span<const double> mean, std::span<const double> scale, std::int64_t count, const char* what) {
  if (std::cmp_not_equal(mean.size(), count) || std::cmp_not_equal(scale.size(), count))
    throw InternalError("a flow of {} {} has {} means and {} scales of them", count, what, mean.size(), scale.size());
  for (const double value : scale)
    if (!(value > 0 && std::isfinite(value))) throw InternalError("a flow scales its {} by {}", what, value);
}

}  // namespace

Flow make_flow(const config::VelocityOptions& options, std::int64_t variables, std::int64_t conditions,
               std::uint64_t seed) {
  VelocityNetwork network(options, variables, conditions);
  auto parameters = network.initial_parameters(seed);
  return {std::move(network),     std::move(parameters),   filled(variables, 0.0),
          filled(variables, 1.0), filled(conditions, 0.0), filled(conditions, 1.0)};
}

Standardisation standardisation(std::span<const double> rows, std::int64_t columns) {
  if (columns < 1 || rows.size() % static_cast<std::size_t>(columns) != 0)
    throw InternalError("{} numbers do not make rows of {}", rows.size(), columns);
  const auto width = static_cast<std::size_t>(columns);
  const std::size_t count = rows.size() / width;
  Standardisation result{filled(columns, 0.0), filled(columns, 1.0)};
  for (std::size_t c = 0; c < width && count > 0; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double value = rows[i * width + c];
      if (!std::isfinite(value))
        throw InputDataError("samples of a flow: row {}, column {} is {}; all have to be finite numbers", i, c, value);
      sum += value;
    }
    const double mean = sum / static_cast<double>(count);
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) squares += (rows[i * width + c] - mean) * (rows[i * width + c] - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(count));
    result.mean[c] = mean;
    // Equal numbers differ from their mean by rounding.
    if (deviation > 1e-12 * std::abs(mean)) result.scale[c] = deviation;
  }
  return result;
}

void require_valid(const Flow& flow) {
  if (std::cmp_not_equal(flow.parameters.size(), flow.network.layout().total()))
    throw InternalError("a flow of {} parameters was given {}", flow.network.layout().total(), flow.parameters.size());
  require_scales(flow.mean, flow.scale, flow.network.variables(), "variables");
  require_scales(flow.condition_mean, flow.condition_scale, flow.network.conditions(), "conditions");
}

}  // namespace rankflow::flow
