#pragma once
#include <cstddef>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Records of `length` numbers each, of all ranks, on every rank, sorted by their first number. Records with the same
/// first number must come from one rank; they keep their order. Collective.
std::vector<std::vector<double>> gather_records(const parallel::Communicator& comm, const std::vector<double>& mine,
                                                std::size_t length);

}  // namespace rankflow::analysis
