#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include "model/neuron_array.hpp"
#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"
#include "simulate/sundials_handles.hpp"

namespace rankflow::simulate {

/// An N_Vector with one value per neuron, distributed in tiles. Norms and dot products are sums of whole tiles in exact
/// arithmetic, hence the same bits at any rank count, and so are the step sizes that SUNDIALS derives from them. Its
/// length is the global N. Padding stays 0. All reductions are collective. `comm` must outlive the vector and its
/// clones.
VectorHandle make_tiled_vector(const parallel::Partition& partition, const parallel::Communicator& comm,
                               SUNContext context);

/// The values of a vector made by make_tiled_vector or cloned from one: one column.
model::NeuronArray<double>& tiled_values(N_Vector vector);

}  // namespace rankflow::simulate
