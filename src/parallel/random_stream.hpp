#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "parallel/philox.hpp"

namespace rankflow::parallel {

/// What randomness is used for. Every use in the program has its own purpose, so that no two uses share
/// numbers. The values are part of the results: never renumber, only append (here and in all_purposes).
enum class Purpose : std::uint32_t {
  population_choice = 0,
  connectivity = 1,
  connectivity_scale = 2,  ///< mixing variable of Student-t connectivity
  input_weights = 3,
  bias = 4,
  time_constants = 5,
  bulk_columns = 6,
  bulk_weights = 7,
  bulk_signs = 8,
  initial_state = 9,
  neuron_noise = 10,
  latent_noise = 11,
  input_noise = 12,
  observation_noise = 13,
  spikes = 14,
  test = 15,
  particle_noise = 16,
  resampling = 17,
  batch_choice = 18,
  parameter_start = 19,
  smoothing_choice = 20,
  forecast_noise = 21,
  evaluation = 22,
  fixed_point_directions = 23,
  fixed_point_starts = 24,
  sweep_draws = 25,
  flow_base = 26,
  flow_time = 27,
  flow_start = 28,
  flow_sample = 29,
  flow_probe = 30,
  connectivity_draws = 31,
  connectivity_probe = 32,
  population_starts = 33,
  population_folds = 34,
  sliced_points = 35
};

inline constexpr std::array all_purposes = {Purpose::population_choice,
                                            Purpose::connectivity,
                                            Purpose::connectivity_scale,
                                            Purpose::input_weights,
                                            Purpose::bias,
                                            Purpose::time_constants,
                                            Purpose::bulk_columns,
                                            Purpose::bulk_weights,
                                            Purpose::bulk_signs,
                                            Purpose::initial_state,
                                            Purpose::neuron_noise,
                                            Purpose::latent_noise,
                                            Purpose::input_noise,
                                            Purpose::observation_noise,
                                            Purpose::spikes,
                                            Purpose::test,
                                            Purpose::particle_noise,
                                            Purpose::resampling,
                                            Purpose::batch_choice,
                                            Purpose::parameter_start,
                                            Purpose::smoothing_choice,
                                            Purpose::forecast_noise,
                                            Purpose::evaluation,
                                            Purpose::fixed_point_directions,
                                            Purpose::fixed_point_starts,
                                            Purpose::sweep_draws,
                                            Purpose::flow_base,
                                            Purpose::flow_time,
                                            Purpose::flow_start,
                                            Purpose::flow_sample,
                                            Purpose::flow_probe,
                                            Purpose::connectivity_draws,
                                            Purpose::connectivity_probe,
                                            Purpose::population_starts,
                                            Purpose::population_folds,
                                            Purpose::sliced_points};

static_assert(
    [] {
      for (std::size_t a = 0; a < all_purposes.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
          if (all_purposes[a] == all_purposes[b]) return false;
        }
      }
      return true;
    }(),
    "two purposes share a value, hence their random numbers");

/// Which numbers of a stream. Together with the item (neuron, particle, channel…) this is the global
/// identity of a number; a rank never is part of it.
struct Draw {
  std::uint32_t trial = 0;
  std::uint32_t step = 0;
  std::uint32_t index = 0;  ///< several draws of one item; < 2^16
};

/// An unlimited source of random numbers for one purpose: a pure function of (seed, purpose, draw, item).
/// Holds no state but its key; copy it freely.
class Stream {
 public:
  /// The 64-bit key is the Philox image of (seed, purpose).
  Stream(std::uint64_t seed, Purpose purpose);
  /// Numbers of their own for each iteration of a training.
  Stream(std::uint64_t seed, Purpose purpose, std::uint64_t iteration);

  /// Key of the numbers of rejection round `round`. Rounds have keys of their own, so that any number of
  /// them may follow without touching the numbers of another index, step or trial.
  PhiloxKey key(std::uint32_t round = 0) const noexcept { return {key_.low + round, key_.high}; }

 private:
  PhiloxKey key_;
};

}  // namespace rankflow::parallel
