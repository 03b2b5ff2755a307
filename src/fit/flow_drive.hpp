#pragma once
#include <span>
#include <vector>

#include "connectivity/features.hpp"
#include "connectivity/visited_states.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// (1/N) sum_i n_i phi(m_i z + b_i v, d_i) at given states [count, R], the same on every rank, bitwise at any rank
/// count. Collective.
std::vector<double> network_drive(const model::Network<double>& network, const connectivity::StateRows& states,
                                  const parallel::Communicator& comm);

/// |drive - y| / |y| over the visited states; NaN without any. Collective.
double drift_error(const model::Network<double>& network, const connectivity::VisitedStates& states,
                   const parallel::Communicator& comm);

}  // namespace rankflow::fit
