#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include <memory>
#include <span>

#include "config/simulate_options.hpp"
#include "io/checkpoint_store.hpp"
#include "model/bulk.hpp"
#include "model/network.hpp"
#include "simulate/initial_state.hpp"
#include "simulate/ode_system.hpp"
#include "simulate/sundials_handles.hpp"

namespace rankflow::simulate {

/// Neuron space or latent space: the equations, the vectors they are solved in, and the stored state of every trial.
class SundialsSpace {
 public:
  virtual ~SundialsSpace() = default;

  virtual OdeSystem& system() = 0;
  virtual VectorHandle make_vector(SUNContext context) const = 0;

  /// Copies the stored state of a trial into `y`, or `y` into the store.
  virtual void load(int trial, N_Vector y) const = 0;
  virtual void store(int trial, N_Vector y) = 0;

  /// Latents [R] of a state vector. Collective.
  virtual void latents(N_Vector y, std::span<double> z) const = 0;
  virtual void tile_potentials(N_Vector y, std::int64_t tile, double* x) const = 0;
  /// Latents [trials, R] of the stored states. Collective.
  virtual void stored_latents(std::span<double> z) const = 0;
  virtual void stored_tile_potentials(int trial, std::int64_t tile, double* x) const = 0;

  virtual void save(io::CheckpointWriter& checkpoint) const = 0;
  virtual void resume(const io::CheckpointReader& checkpoint) = 0;
};

/// `network`, `inputs` and `comm` must outlive the space; `bulk` may be null, and has to be in latent space.
std::unique_ptr<SundialsSpace> make_sundials_space(config::Space space, const model::Network<double>& network,
                                                   std::unique_ptr<model::Bulk> bulk, model::Inputs& inputs,
                                                   const InitialState& initial, int trials,
                                                   const parallel::Communicator& comm);

}  // namespace rankflow::simulate
