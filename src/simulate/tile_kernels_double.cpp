#include "simulate/tile_kernels_impl.hpp"

namespace rankflow::simulate {

template TileWeights<double> tile_weights(const model::Network<double>&, std::int64_t);
template void step_tile(model::Activation, const TileWeights<double>&, const TileUpdate<double>&, const double*,
                        const double*, double*, double*, double*);
template void latent_tile(model::Activation, const TileWeights<double>&, const double*, const double*, double*);
template void readout_tile(model::Activation, const TileWeights<double>&, const double*, double*, double*);
template void drive_tile(const TileWeights<double>&, const double*, const double*, double*);
template double tile_dot(const double*, const double*, std::int64_t);

}  // namespace rankflow::simulate
