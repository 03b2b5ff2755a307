#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/latent_model_options.hpp"
#include "config/smc_options.hpp"
#include "nn/parameters.hpp"

namespace rankflow::smc {

/// A stochastic low-rank RNN as a state-space model (Pals et al. 2024, eq. 1-3): which parameters it has and where each
/// lies in the one flat vector. The same on every rank.
///   z(t+1) = a z(t) + n^T phi(m z(t) + b v(t), d) + L eps      a = exp(-exp(decay))
///   z(0) = mean + L0 eps
///   x(t) ~ Gaussian or Poisson with mean link(s(t)), s affine in z and v, or of one neuron's rate or current
/// Noise factors are kept as strictly lower part and log variances: L = lower + diag(exp(log variance / 2)).
class LatentModel {
 public:
  /// channels: D, inputs: I of the data. Throws ConfigurationError when options do not fit each other or the data.
  LatentModel(const config::LatentModelOptions& options, std::int64_t channels, std::int64_t inputs);

  std::int64_t neurons() const noexcept { return options_.network.neurons; }
  std::int64_t rank() const noexcept { return options_.network.rank; }
  std::int64_t inputs() const noexcept { return inputs_; }
  std::int64_t channels() const noexcept { return channels_; }
  /// Q = R + I: latents and inputs together.
  std::int64_t states() const noexcept { return rank() + inputs_; }
  const config::LatentModelOptions& options() const noexcept { return options_; }
  const nn::ParameterLayout& layout() const noexcept { return layout_; }
  /// To add the parameters of a proposal behind those of the model.
  nn::ParameterLayout& layout() noexcept { return layout_; }

  /// Random or given start of the model's own parameters; those added to the layout stay 0. The flat vector has
  /// layout().total() numbers. Random numbers depend on (seed, name, index) only. Throws InputDataError for given
  /// arrays that do not fit.
  std::vector<double> initial_parameters(std::uint64_t seed) const;

  using Id = nn::ParameterLayout::Id;
  /// Ids in layout(); optional where options decide.
  Id decay, m, n, bias, initial_noise, transition_noise;
  std::optional<Id> input_weights;             ///< [N, I]
  std::optional<Id> initial_mean;              ///< [R]
  Id observation_weights;                      ///< [D, R] for latents, else [D]
  std::optional<Id> observation_inputs;        ///< [D, I]
  Id observation_bias;                         ///< [D]
  std::optional<Id> observation_log_variance;  ///< [D], Gaussian only

 private:
  config::LatentModelOptions options_;
  std::int64_t channels_;
  std::int64_t inputs_;
  nn::ParameterLayout layout_;
};

/// Adds what a proposal needs: "proposal_log_variance" [R] of the encoder's Gaussian.
void add_proposal_parameters(LatentModel& model, config::Proposal proposal);

}  // namespace rankflow::smc
