#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ad/aligned.hpp"
#include "config/smc_options.hpp"
#include "parallel/communicator.hpp"
#include "parallel/random_stream.hpp"
#include "smc/offspring_exchange.hpp"
#include "smc/particle_layout.hpp"
#include "smc/resampling.hpp"

namespace rankflow::smc {

/// Weights of a filter step over all ranks: normalised, their likelihood, and who has how many offspring. All
/// functions are collective when trials cross ranks.
class FilterWeights {
 public:
  FilterWeights(const ParticleLayout& layout, const config::SmcOptions& options, const parallel::Communicator& comm,
                const OffspringExchange& exchange);

  /// Trials that this rank has particles of: [first, end).
  std::int64_t first_trial() const noexcept { return first_trial_; }
  std::int64_t end_trial() const noexcept { return end_trial_; }

  /// log_weights [local block][block_lanes] become normalised
  /// weights; for each local trial log sum and effective sample size are stored. A trial whose weights are all zero or
  /// not a number gets uniform weights and is_broken.
  void normalise(double* log_weights);
  double log_sum(std::int64_t trial) const { return trial_state(trial).log_sum; }
  double sample_size(std::int64_t trial) const { return trial_state(trial).sample_size; }
  bool is_broken(std::int64_t trial) const { return trial_state(trial).broken; }
  /// Whether the trial's particles are due for resampling, by the threshold.
  bool is_due(std::int64_t trial) const;

  /// Chooses ancestors of all trials that are due; particles of the others stay. weights as left by normalise().
  void choose_offspring(const double* weights, const parallel::Stream& stream, std::uint32_t step,
                        const Genealogy& genealogy);
  /// First slot of every block's offspring in its trial, after choose_offspring(); of use where trials span blocks.
  std::span<const std::int64_t> block_slots() const noexcept { return slots_; }

 private:
  /// What other ranks need to know of a segment.
  struct Summary {
    double maximum = 0, sum = 0, squares = 0;
  };
  struct Remainder {
    double mass = 0;
    std::int64_t whole = 0;
  };
  struct TrialState {
    double log_sum = 0, maximum = 0, total = 1, sample_size = 0;
    bool broken = false;
  };

  TrialState& trial_state(std::int64_t trial) { return trials_[static_cast<std::size_t>(trial - first_trial_)]; }
  const TrialState& trial_state(std::int64_t trial) const {
    return trials_[static_cast<std::size_t>(trial - first_trial_)];
  }
  std::int64_t segments_per_trial() const noexcept { return layout_.blocks_per_trial(); }
  template <class Item>
  void share(const std::vector<Item>& mine, std::vector<Item>& all) const;
  void summarise(double* log_weights);
  void combine(std::int64_t trial);
  static double relative(const Summary& segment, const TrialState& trial);
  void choose_trial(std::int64_t trial, const double* weights, const parallel::Stream& stream, std::uint32_t step,
                    const Genealogy& genealogy);
  void choose_residual(std::int64_t trial, const double* weights, const parallel::Stream& stream, std::uint32_t step,
                       const Genealogy& genealogy);
  void split_remainders(const double* weights);

  const ParticleLayout& layout_;
  config::SmcOptions options_;
  const parallel::Communicator& comm_;
  bool crosses_;
  std::int64_t first_trial_ = 0, end_trial_ = 0;
  std::int64_t first_segment_ = 0;                     ///< global index of segments_[0]
  std::vector<Segment> segments_;                      ///< of this rank
  std::vector<std::int64_t> slots_at_;                 ///< where each segment begins in Genealogy::first_slots
  std::vector<std::int64_t> counts_;                   ///< segments of each rank
  std::vector<Summary> my_summaries_, summaries_;      ///< of this rank, of all
  ad::AlignedVector<double> levels_;                   ///< largest log weight of each particle's segment, or 0
  std::vector<Remainder> my_remainders_, remainders_;  ///< of this rank, of all
  std::vector<double> shares_;                         ///< normalised mass of all segments
  std::vector<std::int64_t> slots_;                    ///< first slot of all segments in their trials
  std::vector<TrialState> trials_;
  ResamplingPositions positions_;
  std::vector<double> remainder_weights_;  ///< [local block][block_lanes]
};

}  // namespace rankflow::smc
