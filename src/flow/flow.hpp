#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "flow/velocity_network.hpp"

namespace rankflow::flow {

/// A distribution over x [V], perhaps given a condition [C]: the end at t = 1 of dx/dt = v(x, condition, t) from
/// standard normal noise. The network sees standardised numbers: (x - mean) / scale, likewise conditions.
struct Flow {
  VelocityNetwork network;
  std::vector<double> parameters;       ///< network.layout().total()
  std::vector<double> mean;             ///< [V]
  std::vector<double> scale;            ///< [V], positive
  std::vector<double> condition_mean;   ///< [C]
  std::vector<double> condition_scale;  ///< [C], positive
};

/// A flow of initial parameters that standardises nothing.
Flow make_flow(const config::VelocityOptions& options, std::int64_t variables, std::int64_t conditions,
               std::uint64_t seed);

/// Mean and standard deviation of the columns of rows [count, columns]; a constant column gets the scale 1. Throws
/// InputDataError for numbers that are not finite, naming row and column.
struct Standardisation {
  std::vector<double> mean;
  std::vector<double> scale;
};
Standardisation standardisation(std::span<const double> rows, std::int64_t columns);

/// Throws InternalError unless lengths fit the network and scales are positive and finite.
void require_valid(const Flow& flow);

}  // namespace rankflow::flow
