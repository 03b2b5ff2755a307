#include "simulate/tile_kernels_impl.hpp"

namespace rankflow::simulate {

template TileWeights<float> tile_weights(const model::Network<float>&, std::int64_t);
template void step_tile(model::Activation, const TileWeights<float>&, const TileUpdate<float>&, const float*,
                        const float*, float*, float*, float*);
template void latent_tile(model::Activation, const TileWeights<float>&, const float*, const float*, float*);
template void readout_tile(model::Activation, const TileWeights<float>&, const float*, float*, float*);
template void drive_tile(const TileWeights<float>&, const float*, const float*, float*);
template float tile_dot(const float*, const float*, std::int64_t);

}  // namespace rankflow::simulate
