#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/flow_options.hpp"
#include "flow/flow.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::flow {

/// Samples first, first + 1, … of a flow, x [count, V]: the value of a sample depends on (stream, its number, its
/// condition) only, so that any rank may draw any range. `conditions` [count, C], one row per sample; empty for C = 0.
/// midpoint and rk4 in single precision; adaptive in double precision, each sample with steps of its own. Throws
/// NumericalError naming the sample when a number is not finite.
std::vector<double> sample(const Flow& flow, const config::FlowSamplerOptions& options, const parallel::Stream& stream,
                           std::int64_t first, std::int64_t count, std::span<const double> conditions = {});

/// The same for given noise x0 [count, V]: the flow as a map.
std::vector<double> transport(const Flow& flow, const config::FlowSamplerOptions& options, std::span<const double> x0,
                              std::span<const double> conditions = {});

}  // namespace rankflow::flow
