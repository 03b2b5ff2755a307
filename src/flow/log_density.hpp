#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/flow_options.hpp"
#include "flow/flow.hpp"
#include "parallel/communicator.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::flow {

/// How log-densities are computed.
struct LogDensityOptions {
  config::FlowSamplerOptions integrator{.method = config::FlowIntegrator::rk4, .steps = 40, .tolerance = 1e-8};
  /// Up to this many variables the trace of the Jacobian is exact, at the cost of 1 + V evaluations; beyond, it is
  /// estimated (Hutchinson 1989) from `probes` random signs per sample, which stay the same along its path.
  std::int64_t exact_variables = 16;
  std::int64_t probes = 4;
  std::uint64_t seed = 0;  ///< of the probes
};

/// log p(x | condition) [count] in nats of rows x [count, V]: from the instantaneous change of variables (Chen et al.
/// 2018, "Neural ordinary differential equations", eq. 8), backwards from t = 1 to 0, in double precision. Probes of
/// row i are those of item first_item + i. Throws NumericalError naming the row when a number is not finite.
std::vector<double> log_density(const Flow& flow, const LogDensityOptions& options, std::span<const double> x,
                                std::span<const double> conditions = {}, std::int64_t first_item = 0);

/// Divergence of the velocity, in standardised coordinates, at rows x [count, V] (standardised) and time t; exact.
std::vector<double> divergence(const Flow& flow, std::span<const double> x, std::span<const double> conditions,
                               double t);

/// Differential entropy [nats] with its Monte Carlo standard error.
struct EntropyEstimate {
  double nats = 0.0;
  double error = 0.0;
};
/// Mean of -log p(x | condition) over samples of the flow, one per row of `conditions` (or `count` of them for C = 0);
/// the same bits at any rank count. Collective.
EntropyEstimate entropy(const parallel::Communicator& comm, const Flow& flow, const LogDensityOptions& options,
                        const config::FlowSamplerOptions& sampler, const parallel::Stream& stream, std::int64_t count,
                        std::span<const double> conditions = {});

}  // namespace rankflow::flow
