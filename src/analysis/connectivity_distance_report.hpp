#pragma once
#include <complex>
#include <string>
#include <vector>

#include "analysis/connectivity_distance_weights.hpp"
#include "analysis/flow_field.hpp"
#include "analysis/sinkhorn.hpp"
#include "config/compare_options.hpp"
#include "io/hdf5_file.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// One of two networks that are compared.
struct ComparedNetwork {
  const model::Network<double>& network;
  const io::File& file;  ///< says what the network was drawn from
};

/// What is found out about one network alone.
struct NetworkReading {
  std::int64_t neurons = 0;
  std::vector<double> overlap;  ///< (1/N) nᵀ m [R, R]: row r of n, column s of m
  /// Of the overlaps, the largest real part first [R]: the same in any coordinates of the latents, which a fit chooses.
  std::vector<std::complex<double>> eigenvalues;
  double sampling = 0;           ///< Sinkhorn divergence between halves of the neurons drawn from it
  std::string conditional_mean;  ///< where its E[n | m, b, d] comes from
  double free_part = 0;          ///< mean of (n_r − E[n_r | m, b, d])²: invisible in the dynamics
  FlowField flow;
};

/// How far the second network is from the first.
struct NetworkComparison {
  NetworkReading first, second;
  int rank = 0;
  int inputs = 0;
  std::int64_t points = 0;       ///< neurons drawn from each, at most
  SinkhornResult loadings;       ///< between the distributions of (m, b, d)
  double sliced = 0;             ///< sliced transport between them
  double conditional_error = 0;  ///< mean of (n_r − E_1[n_r | m, b, d])² over the second network's neurons
  double mean_error = 0;         ///< the same with E_2[n_r | m, b, d] for n_r: of what the dynamics can see
  WeightCorrelations weights;
  FlowGrid grid;
  double flow_difference = 0;  ///< |F_1 − F_2| / |F_1| on the grid
};

/// Collective; the same bits on any number of ranks. Throws InputDataError when rank or inputs differ, or as the parts.
NetworkComparison compare_networks(const ComparedNetwork& first, const ComparedNetwork& second,
                                   const config::CompareNetworksOptions& options, const parallel::Communicator& comm);

/// For the console.
std::string comparison_text(const NetworkComparison& comparison);

/// Groups /comparison and /flow_field. Collective.
void write_comparison(io::File& file, const NetworkComparison& comparison);

}  // namespace rankflow::analysis
