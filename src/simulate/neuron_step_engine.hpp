#pragma once
#include <memory>
#include <vector>

#include "model/bulk.hpp"
#include "model/network.hpp"
#include "parallel/random_stream.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/fixed_step_engine.hpp"
#include "simulate/initial_state.hpp"
#include "simulate/latent_noise.hpp"
#include "simulate/latent_projection.hpp"
#include "simulate/step_coefficients.hpp"

namespace rankflow::simulate {

/// Fixed-step integration of the potential of every neuron. One fused pass over the weights per step and one message of
/// trials x R sums; with a random bulk, one more product per trial.
template <class T>
class NeuronStepEngine final : public FixedStepEngine {
 public:
  struct Physics {
    config::Method method = config::Method::euler;
    double neuron_noise = 0.0;  ///< sigma
    LatentNoise latent_noise;
    std::uint64_t seed = 0;
  };

  /// `network`, `comm` must outlive the engine; `bulk` may be null and needs T = double. Collective.
  NeuronStepEngine(Setup setup, const model::Network<T>& network, std::unique_ptr<model::Bulk> bulk,
                   model::Inputs inputs, const InitialState& initial, Physics physics,
                   const parallel::Communicator& comm);

  void latents(std::span<double> z) const override;
  void tile_potentials(int trial, std::int64_t tile, double* x) const override;

 protected:
  void advance() override;
  void save_state(io::CheckpointWriter& checkpoint) const override;
  void resume_state(const io::CheckpointReader& checkpoint) override;

 private:
  void set_coefficients();
  /// kappa of the potentials as they are: the first step needs it before any step made it.
  void read_out();
  void prepare_drive();
  void advance_tile(std::int64_t tile);
  const T* noise_of(std::int64_t tile, std::int64_t trial, T* buffer) const;
  void reduce();

  const model::Network<T>& network_;
  const parallel::Communicator& comm_;
  std::unique_ptr<model::Bulk> bulk_;
  model::Inputs inputs_;
  Physics physics_;
  StepCoefficients coefficients_;     ///< of the shared time constant
  model::NeuronArray<T> gains_;       ///< per neuron, one column when time constants are their own
  model::NeuronArray<T> potentials_;  ///< [N, trial]
  LatentProjection<T> projection_;
  std::vector<double> kappa_;  ///< [trial, R]
  std::vector<double> drive_, input_;
  std::vector<T> drive_weights_, input_weights_;  ///< kappa plus latent noise [trial, R]; u [trial, I]
  std::vector<T> tile_sums_;
  parallel::ReproducibleSum population_sum_;
  std::vector<model::NeuronArray<double>> rates_, recurrent_;  ///< with a bulk: phi(x) and g chi phi(x) by trial
  parallel::Stream noise_stream_;
};

}  // namespace rankflow::simulate
