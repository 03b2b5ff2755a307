#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "config/smc_options.hpp"
#include "parallel/communicator.hpp"
#include "smc/latent_model.hpp"
#include "smc/offspring_exchange.hpp"
#include "smc/particle_layout.hpp"
#include "smc/state_space.hpp"

namespace rankflow::smc {

/// Data of B trials over T steps, the same on every rank.
struct FilterData {
  std::int64_t trials = 0;
  std::int64_t times = 0;
  std::span<const double> observations;  ///< [B, T, D]; NaN: not observed
  std::span<const double> inputs;        ///< u [B, T, I], or empty when the model has no inputs
  /// Means of the encoder's Gaussian [B, T, R], for proposal = encoder.
  std::span<const double> guides;
};

/// Which random numbers: equal seeds and iterations give equal particles at any rank count.
struct FilterRandomness {
  std::uint64_t seed = 1;
  std::uint64_t iteration = 0;
};

/// Weighted particles of this rank after step `time`: for local block i, states [z; v] [Q][block_lanes] and normalised
/// weights [lane] (they sum to 1 over each trial, over all ranks).
template <class T>
struct WeightedParticles {
  std::int64_t time = 0;
  const ParticleLayout* layout = nullptr;
  std::int64_t rows = 0;               ///< Q: latents, then inputs v(t)
  const T* states = nullptr;           ///< [local block][Q][block_lanes]
  const double* weights = nullptr;     ///< [local block][block_lanes]
  const Genealogy* arrival = nullptr;  ///< whose offspring these are, at the step before; null at step 0

  const T* block_states(std::int64_t local) const { return states + local * rows * block_lanes; }
  const double* block_weights(std::int64_t local) const { return weights + local * block_lanes; }
};

/// What a filter found.
struct FilterResult {
  std::vector<double> log_likelihood;  ///< log p(x(t) | past) estimated, [B, T]
  std::vector<double> sample_size;     ///< effective sample size before resampling, [B, T]
  double total() const;
};

/// Particle filter of a LatentModel over all trials of a batch at once, and the gradient of the log-likelihood estimate
/// (variational SMC: Maddison et al. 2017, Naesseth et al. 2018, Le et al. 2018; Pals et al. 2024, section 3.2).
/// Gradients pass through particles and weights, not through the choice of ancestors. T: precision of the particles.
template <class T>
class ParticleFilter {
 public:
  /// For batches of this shape. `comm` and `model` must outlive it. Throws ConfigurationError when the proposal does
  /// not suit the model (optimal needs Gaussian observations affine in the latents).
  ParticleFilter(const LatentModel& model, const config::SmcOptions& options, const parallel::Communicator& comm,
                 std::int64_t trials, std::int64_t times);
  ~ParticleFilter();
  ParticleFilter(ParticleFilter&&) noexcept;

  const ParticleLayout& layout() const noexcept;

  using Observer = std::function<void(const WeightedParticles<T>&)>;
  /// Filters; nothing is kept but two steps. `observer`, if any, sees the particles of every step. Collective.
  /// Throws NumericalError naming quantity, trial and step: all weights zero, or something not finite.
  FilterResult run(std::span<const double> parameters, const FilterData& data, const FilterRandomness& randomness,
                   const Observer& observer = {});

  /// The objective sum over (trial, step) of scale * log p(x(t) | past) and its gradient.
  struct Gradient {
    FilterResult result;
    std::span<const double> parameters;  ///< adjoint of the flat vector, until the next call; same on every rank
    std::span<const double> guides;      ///< adjoint of FilterData::guides, [B, T, R]; empty without encoder
  };
  Gradient gradient(std::span<const double> parameters, const FilterData& data, const FilterRandomness& randomness,
                    double scale);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rankflow::smc
