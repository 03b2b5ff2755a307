#pragma once
#include <cstdint>

#include "io/run_file.hpp"
#include "simulate/assembly.hpp"

namespace rankflow::simulate {

/// Networks up to this size are stored in the run file, so that a run can be understood and continued alone.
inline constexpr std::int64_t stored_network_limit = 1000000;

/// True when the run file will hold the network.
template <class T>
bool stores_network(const config::SimulateOptions& options, const model::Network<T>& network);

/// Numbers per neuron in all weights: columns of m, n, b, d and tau.
std::uint64_t weight_columns(const model::Network<double>& network);

/// Bytes of the final state, the integrator's counters and the network in the file.
std::uint64_t final_bytes(const config::SimulateOptions& options, const model::Network<double>& network);

/// Datasets of /final, /integrator and the stop times.
void describe_final(io::RunLayout& layout, const config::SimulateOptions& options, std::int64_t neurons, int rank,
                    const Engine& engine);
/// Writes them from the engine's final state. Collective.
void write_final(io::RunFile& file, const config::SimulateOptions& options, const parallel::Partition& partition,
                 int rank, const Engine& engine, const parallel::Communicator& comm);

}  // namespace rankflow::simulate
