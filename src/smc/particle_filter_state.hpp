#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "ad/tape.hpp"
#include "parallel/tree_sum.hpp"
#include "smc/filter_weights.hpp"
#include "smc/low_rank_step_adjoints.hpp"
#include "smc/model_arrays.hpp"
#include "smc/particle_filter.hpp"
#include "smc/particle_noise.hpp"
#include "smc/proposal_table.hpp"
#include "smc/readout_density.hpp"

/// Inside of ParticleFilter: what one pass over the data holds.
namespace rankflow::smc {

/// All particles of this rank at one step. Arrays are [local block][row][block_lanes]; Q rows for zeta.
template <class T>
struct FilterSlice {
  T* ancestors = nullptr;             ///< zeta(t-1) after resampling: where the step starts (t > 0)
  T* mu = nullptr;                    ///< [R] mean of the transition
  T* eps = nullptr;                   ///< [R]
  T* zeta = nullptr;                  ///< z(t) and v(t)
  T* mu_adjoint = nullptr;            ///< kept for the adjoints of the weights
  T* zeta_adjoint = nullptr;          ///< of zeta(t)
  double* weights = nullptr;          ///< [block_lanes] normalised
  Genealogy genealogy;                ///< from t to t+1
  std::uint8_t* resampled = nullptr;  ///< by local trial: whether ancestors were chosen after t
};

/// Sums that a block gathers over all steps on the way back.
template <class T>
struct BlockAdjoint {
  ProposalAdjoint<T> proposal;
  std::vector<double> readout, neuron_bias, scale, observation_bias, precision;
  std::vector<double> inputs;        ///< of v, [block's trials, T, I]
  std::vector<double> initial_mean;  ///< [R]
  double decay = 0;
};

template <class T>
struct ParticleFilter<T>::Implementation {
  Implementation(const LatentModel& model, const config::SmcOptions& options, const parallel::Communicator& comm,
                 std::int64_t trials, std::int64_t times);

  // forward, in particle_filter.cpp
  void prepare(std::span<const double> parameters, const FilterData& data, bool record);
  FilterResult forward(const FilterRandomness& randomness, const Observer& observer);
  void make_slices();
  FilterSlice<T> make_slice();
  FilterSlice<T>& slice(std::int64_t time) { return slices_[static_cast<std::size_t>(time) % slices_.size()]; }
  void predict(std::int64_t time);
  void draw_noise(std::int64_t time, const parallel::Stream& stream);
  void sample(std::int64_t time);
  void weigh(std::int64_t time);
  void resample(std::int64_t time, const parallel::Stream& stream);
  void fill_inputs(std::int64_t time, T* zeta) const;
  void fill_observations(std::int64_t time, const Block& block);

  // in particle_filter_outcome.cpp
  void note_failure(std::int64_t time);
  [[noreturn]] void throw_failure(std::int64_t key) const;
  FilterResult collect() const;

  // backward, in particle_filter_gradient.cpp
  void start_adjoint(double scale);
  void weight_adjoint(std::int64_t time);
  void transition_adjoint(std::int64_t time);
  void resampling_adjoint(std::int64_t time);
  void finish_block(std::int64_t local, std::span<double> leaf);
  Gradient finish_gradient(FilterResult&& result);

  const Block& block(std::int64_t local) const { return blocks_[static_cast<std::size_t>(local)]; }
  std::int64_t local_trial(std::int64_t trial) const { return trial - weights_.first_trial(); }
  Readout<T> readout() const { return arrays_.observation(model_); }
  bool has_bias_start() const { return model_.options().noise.initial_mean == config::InitialMean::bias; }

  const LatentModel& model_;
  const parallel::Communicator& comm_;
  std::int64_t times_;
  std::int64_t rank_, states_, inputs_;
  ParticleLayout layout_;
  std::vector<Block> blocks_;  ///< of this rank
  std::vector<Segment> segments_;
  OffspringExchange exchange_;
  FilterWeights weights_;
  ProposalTable<T> table_;
  ad::Tape tape_;

  FilterData data_;
  StateSpace space_;
  ModelArrays<T> arrays_;
  std::vector<double> network_inputs_;  ///< v of the local trials [trials, T, I]
  std::vector<FilterSlice<T>> slices_;
  std::vector<double> carried_;    ///< log weight before the step, [local block][block_lanes]
  ad::AlignedVector<T> observed_;  ///< x of one block [D][block_lanes]
  ParticleNoise<T> noise_;
  std::vector<double> log_likelihood_, sample_size_;  ///< of the local trials [trials, T]
  static constexpr std::int64_t no_failure = std::numeric_limits<std::int64_t>::max();
  std::int64_t failure_at_ = no_failure;  ///< 2 (time B + trial) of the first failure, + 1 if the states are finite

  double scale_ = 0;
  std::vector<BlockAdjoint<T>> block_adjoints_;
  ad::AlignedVector<T> log_weight_adjoint_;  ///< [local block][block_lanes], of the step after
  std::vector<double> guide_adjoint_, guide_leaf_;
  StepAdjoints<T> step_adjoints_;
  StateSpaceAdjoint space_adjoint_;
  std::vector<double> parameter_adjoint_, leaf_;
  parallel::TreeSum parameter_sum_;
  std::optional<parallel::TreeSum> guide_sum_;
  Vector log_guide_variance_;
  std::optional<LatentModel::Id> guide_variance_id_;
};

}  // namespace rankflow::smc
