#pragma once
// Private to tiled_vector*.cpp.
#include <memory>

#include "model/neuron_array.hpp"
#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/tiled_vector.hpp"

namespace rankflow::simulate::tiled {

/// What all clones of a vector share.
struct Shared {
  const parallel::Communicator& comm;
  parallel::Partition partition;
  parallel::ReproducibleSum sum{1};
};

struct Content {
  std::shared_ptr<Shared> shared;
  model::NeuronArray<double> values;
};

inline Content& content(N_Vector vector) {
  return *static_cast<Content*>(vector->content);
}
inline double* data(N_Vector vector) {
  return content(vector).values.values().data();
}
inline Shared& shared(N_Vector vector) {
  return *content(vector).shared;
}
/// Entries of this rank that exist.
inline std::int64_t count(N_Vector vector) {
  return shared(vector).partition.count();
}

/// Enters the reductions into the table of operations.
void set_reductions(N_Vector_Ops operations);

}  // namespace rankflow::simulate::tiled
