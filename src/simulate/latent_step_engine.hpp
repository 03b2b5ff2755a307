#pragma once
#include <vector>

#include "model/network.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/fixed_step_engine.hpp"
#include "simulate/initial_state.hpp"
#include "simulate/latent_noise.hpp"
#include "simulate/step_coefficients.hpp"

namespace rankflow::simulate {

/// Fixed-step integration of the reduced dynamics
///   tau dz/dt = -leak z + (1/N) n^T phi(m z + b v + d),  tau dv/dt = -leak v + u
/// (Beiran et al. 2021, eq. 8). z and v are the same on every rank; the sum over neurons is shared.
template <class T>
class LatentStepEngine final : public FixedStepEngine {
 public:
  /// `network` and `comm` must outlive the engine.
  LatentStepEngine(Setup setup, const model::Network<T>& network, model::Inputs inputs, const InitialState& initial,
                   LatentNoise noise, StepCoefficients coefficients, const parallel::Communicator& comm);

  void latents(std::span<double> z) const override;
  void tile_potentials(int trial, std::int64_t tile, double* x) const override;
  std::span<const double> inputs(int trial) const override;

 protected:
  void advance() override;
  void save_state(io::CheckpointWriter& checkpoint) const override;
  void resume_state(const io::CheckpointReader& checkpoint) override;

 private:
  void sum_over_neurons();
  void advance_inputs(std::size_t trial);
  void set_inputs(std::size_t trial, std::int64_t step);

  const model::Network<T>& network_;
  const parallel::Communicator& comm_;
  model::Inputs inputs_;
  LatentNoise noise_;
  StepCoefficients coefficients_;
  std::vector<double> z_, v_, u_;         ///< [trial, R], [trial, I], [I]
  std::vector<double> sums_;              ///< [trial, R]
  std::vector<T> z_weights_, v_weights_;  ///< z and v in the precision of the weights
  std::vector<T> tile_sums_;
  parallel::ReproducibleSum population_sum_;
};

}  // namespace rankflow::simulate
