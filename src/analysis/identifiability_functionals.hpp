#pragma once
#include <string>
#include <vector>

#include "connectivity/posterior.hpp"
#include "model/network.hpp"

namespace rankflow::analysis {

/// A linear functional sum_i w_i n_ir of the connectivity that has a name: overlaps n_r . m_s / N and n_r . b_k / N,
/// the mean of n_r, and, with populations, the part of each that one population contributes.
struct NamedFunctional {
  std::string name;              ///< as in "n.m1", "n.b1", "mean n", "mean n of excitatory"
  std::vector<double> given;     ///< of the given n [R]
  std::vector<double> estimate;  ///< mean given the data [R]
  double deviation = 0;          ///< standard deviation given the data
  double prior_deviation = 0;    ///< and without
  /// 1 - (deviation / prior_deviation)^2: 1 when the data determine it, 0 when they say nothing.
  double determined() const;
};

/// Collective.
std::vector<NamedFunctional> named_functionals(const connectivity::Posterior& posterior,
                                               const connectivity::Variances& variances,
                                               const model::Network<double>& network,
                                               const parallel::Communicator& comm);

}  // namespace rankflow::analysis
