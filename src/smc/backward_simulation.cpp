#include "smc/backward_simulation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "core/error.hpp"
#include "model/fused_product.hpp"
#include "parallel/draws.hpp"
#include "smc/particle_model.hpp"
#include "smc/trial_sums.hpp"

namespace rankflow::smc {

namespace {

/// x [R][block_lanes] = L^-1 x, particle by particle: the density of a transition becomes a distance.
template <class T>
void whiten(const std::vector<T>& noise, std::int64_t rank, std::int64_t lanes, T* x) {
  for (std::int64_t r = 0; r < rank; ++r) {
    for (std::int64_t q = 0; q < r; ++q) {
      const T factor = noise[static_cast<std::size_t>(r * rank + q)];
      for (std::int64_t p = 0; p < lanes; ++p) x[r * L + p] -= factor * x[q * L + p];
    }
    const T diagonal = noise[static_cast<std::size_t>(r * rank + r)];
    for (std::int64_t p = 0; p < lanes; ++p) x[r * L + p] /= diagonal;
  }
}

/// Largest log weight of a segment and the sum of weights over exp of it.
struct Share {
  double maximum = -std::numeric_limits<double>::infinity();
  double sum = 0;
};

template <class T>
class BackwardPass {
 public:
  BackwardPass(const LatentModel& model, std::span<const double> parameters, const FilterData& data,
               FilterHistory<T>& history, std::int64_t count, const FilterRandomness& randomness)
      : history_(history),
        layout_(history.layout()),
        model_(model, parameters, data, layout_),
        stream_(randomness.seed, parallel::Purpose::smoothing_choice, randomness.iteration),
        rank_(model.rank()),
        states_(model.states()),
        count_(count),
        table_(layout_, history.comm(), 2 * count),
        uniforms_(static_cast<std::size_t>(count)) {
    const auto blocks = static_cast<std::size_t>(layout_.local_blocks());
    whitened_.assign(blocks * static_cast<std::size_t>(rank_ * L), T(0));
    log_weights_.assign(table_.segments().size() * static_cast<std::size_t>(L), -std::numeric_limits<T>::infinity());
    zeta_.assign(static_cast<std::size_t>(states_ * L), T(0));
    current_.assign(static_cast<std::size_t>(layout_.trials() * count * rank_), 0.0);
    target_.resize(static_cast<std::size_t>(rank_));
    const std::int64_t first = layout_.first_owned_trial(layout_.rank());
    result_ = {.first_trial = first,
               .trials = layout_.first_owned_trial(layout_.rank() + 1) - first,
               .count = count,
               .times = history.times(),
               .rank = rank_,
               .states = {}};
    result_.states.resize(static_cast<std::size_t>(result_.trials * count * result_.times * rank_));
  }

  LatentTrajectories run() {
    for (std::int64_t time = history_.times(); time-- > 0;) {
      prepare(time);
      tabulate(time);
      choose(time);
      store(time);
    }
    agree_on_failure();
    return std::move(result_);
  }

 private:
  /// Where every particle of step `time` is expected next, and the logarithm of its weight.
  void prepare(std::int64_t time) {
    const auto particles = history_.particles(time);
    for (std::size_t i = 0; i < table_.segments().size(); ++i) {
      const Segment& segment = table_.segments()[i];
      const double* weights = particles.block_weights(segment.local_block);
      T* logs = log_weights_.data() + static_cast<std::int64_t>(i) * L;
      for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p)
        logs[p] = static_cast<T>(std::log(weights[p]));
    }
    if (time + 1 == history_.times()) return;
    for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
      const Block block = layout_.block(layout_.first_block() + local);
      std::copy_n(particles.block_states(local), rank_ * L, zeta_.data());
      model_.fill_inputs(block, time, zeta_.data());
      T* mu = whitened_.data() + local * rank_ * L;
      model_.transition_mean(zeta_.data(), block.lanes(), mu);
      whiten(model_.noise(), rank_, block.lanes(), mu);
    }
  }

  /// Weights over exp(maximum) of a segment's particles as ancestors of trajectory j; 0 in the other lanes.
  Share weigh(std::size_t index, std::int64_t time, std::int64_t j, LaneRow<T>& weights) {
    using B = xsimd::batch<T>;
    constexpr auto width = static_cast<std::int64_t>(B::size);
    constexpr T none = -std::numeric_limits<T>::infinity();
    const Segment& segment = table_.segments()[index];
    const bool last = time + 1 == history_.times();
    const std::int64_t begin = segment.first_lane / width * width;
    const T* mu = whitened_.data() + segment.local_block * rank_ * L;
    const T* logs = log_weights_.data() + static_cast<std::int64_t>(index) * L;
    if (!last) whiten_target(segment.trial, j);
    B largest(none);
    for (std::int64_t p = begin; p < segment.end_lane(); p += width) {
      B distance(T(0));
      for (std::int64_t r = 0; r < rank_ && !last; ++r) {
        const B e = B::load_aligned(mu + r * L + p) - B(target_[static_cast<std::size_t>(r)]);
        distance = model::fused(e, e, distance);
      }
      const B log_weight = model::fused(B(T(-0.5)), distance, B::load_aligned(logs + p));
      log_weight.store_aligned(weights.data() + p);
      largest = xsimd::max(largest, log_weight);
    }
    alignas(64) std::array<T, B::size> lanes;
    largest.store_aligned(lanes.data());
    const T maximum = *std::ranges::max_element(lanes);
    B sum(T(0));
    for (std::int64_t p = begin; p < segment.end_lane() && maximum > none; p += width) {
      const B weight = xsimd::exp(B::load_aligned(weights.data() + p) - B(maximum));
      weight.store_aligned(weights.data() + p);
      sum += weight;
    }
    const auto total = static_cast<double>(xsimd::hadd(sum));
    return {.maximum = std::isnan(total) ? total : static_cast<double>(maximum), .sum = total};
  }

  /// L^-1 z(time + 1) of a trajectory.
  void whiten_target(std::int64_t trial, std::int64_t j) {
    const double* next = current_.data() + (trial * count_ + j) * rank_;
    for (std::int64_t r = 0; r < rank_; ++r) {
      T value = static_cast<T>(next[r]);
      for (std::int64_t q = 0; q < r; ++q)
        value -= model_.noise()[static_cast<std::size_t>(r * rank_ + q)] * target_[static_cast<std::size_t>(q)];
      target_[static_cast<std::size_t>(r)] = value / model_.noise()[static_cast<std::size_t>(r * rank_ + r)];
    }
  }

  void tabulate(std::int64_t time) {
    LaneRow<T> weights;
    for (std::size_t i = 0; i < table_.segments().size(); ++i) {
      for (std::int64_t j = 0; j < count_; ++j) {
        const Share share = weigh(i, time, j, weights);
        table_.part(i)[static_cast<std::size_t>(2 * j)] = share.maximum;
        table_.part(i)[static_cast<std::size_t>(2 * j + 1)] = share.sum;
      }
    }
    table_.share();
  }

  /// A state for every trajectory, from the particles of step `time`.
  void choose(std::int64_t time) {
    chosen_.assign(current_.size(), 0);
    std::size_t first_segment = 0;
    for (std::int64_t trial = table_.first_trial(); trial < table_.end_trial(); ++trial) {
      parallel::uniform<double>(stream_,
                                {.trial = static_cast<std::uint32_t>(trial), .step = static_cast<std::uint32_t>(time)},
                                0, uniforms_);
      std::size_t end_segment = first_segment;
      while (end_segment < table_.segments().size() && table_.segments()[end_segment].trial == trial) ++end_segment;
      const std::int64_t offset = layout_.trials_span_blocks()
                                      ? layout_.first_block() + table_.segments()[first_segment].local_block -
                                            trial * layout_.blocks_per_trial()
                                      : 0;
      for (std::int64_t j = 0; j < count_; ++j) {
        const auto [segment, share] = choose_segment(trial, time, j);
        const std::int64_t mine = segment - offset;
        if (mine < 0 || mine >= static_cast<std::int64_t>(end_segment - first_segment)) continue;
        take(first_segment + static_cast<std::size_t>(mine), time, j, share);
      }
      first_segment = end_segment;
    }
    if (layout_.crosses_ranks()) history_.comm().sum(chosen_);
    for (std::size_t i = 0; i < chosen_.size(); ++i) current_[i] = std::bit_cast<double>(chosen_[i]);
  }

  struct Choice {
    std::int64_t segment = 0;  ///< of the trial
    double share = 0;          ///< of the segment's weight that lies below the position drawn
  };
  Choice choose_segment(std::int64_t trial, std::int64_t time, std::int64_t j) {
    const auto parts = table_.parts(trial);
    const auto stride = static_cast<std::size_t>(2 * count_);
    const auto at = static_cast<std::size_t>(2 * j);
    double maximum = -std::numeric_limits<double>::infinity();
    for (std::size_t s = 0; s < parts.size(); s += stride)
      if (!(parts[s + at] <= maximum)) maximum = parts[s + at];
    if (!std::isfinite(maximum)) {
      failure_ = std::max(failure_, 1 + time * layout_.trials() + trial);
      return {};
    }
    double total = 0;
    for (std::size_t s = 0; s < parts.size(); s += stride)
      total += parts[s + at + 1] * std::exp(parts[s + at] - maximum);
    const double position = uniforms_[static_cast<std::size_t>(j)] * total;
    double before = 0;
    Choice choice;
    for (std::size_t s = 0; s < parts.size(); s += stride) {
      const double mass = parts[s + at + 1] * std::exp(parts[s + at] - maximum);
      if (!(mass > 0)) continue;
      choice = {.segment = static_cast<std::int64_t>(s / stride), .share = (position - before) / mass};
      if (position < before + mass) break;
      before += mass;
    }
    return choice;
  }

  /// Ranks fail together, after a pass that all of them finish.
  void agree_on_failure() {
    history_.comm().maximum(std::span<std::int64_t>(&failure_, 1));
    if (failure_ == 0) return;
    throw NumericalError(
        "backward simulation: no particle of trial {} at step {} can lead to the state that follows; the transition "
        "noise is too small for the precision, or the dynamics diverge",
        (failure_ - 1) % layout_.trials(), (failure_ - 1) / layout_.trials());
  }

  void take(std::size_t index, std::int64_t time, std::int64_t j, double share) {
    const Segment& segment = table_.segments()[index];
    LaneRow<T> weights;
    const double position = share * weigh(index, time, j, weights).sum;
    double cumulated = 0;
    std::int64_t lane = segment.first_lane;
    for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p) {
      const auto weight = static_cast<double>(weights[static_cast<std::size_t>(p)]);
      if (!(weight > 0)) continue;
      lane = p;
      cumulated += weight;
      if (position < cumulated) break;
    }
    const T* states = history_.particles(time).block_states(segment.local_block);
    for (std::int64_t r = 0; r < rank_; ++r)
      chosen_[static_cast<std::size_t>((segment.trial * count_ + j) * rank_ + r)] =
          std::bit_cast<std::int64_t>(static_cast<double>(states[r * L + lane]));
  }

  void store(std::int64_t time) {
    for (std::int64_t i = 0; i < result_.trials * count_; ++i)
      std::copy_n(current_.data() + (result_.first_trial * count_ + i) * rank_, rank_,
                  result_.states.data() + (i * result_.times + time) * rank_);
  }

  FilterHistory<T>& history_;
  const ParticleLayout& layout_;
  ParticleModel<T> model_;
  parallel::Stream stream_;
  std::int64_t rank_, states_, count_;
  TrialSums table_;  ///< maximum and sum of each trajectory, segment by segment
  std::vector<double> uniforms_;
  ad::AlignedVector<T> whitened_;     ///< L^-1 mu [local block][R][block_lanes]
  ad::AlignedVector<T> log_weights_;  ///< [segment][block_lanes], minus infinity in the other lanes
  ad::AlignedVector<T> zeta_;
  std::vector<double> current_;       ///< z(time) of all trajectories [B, M, R]; of this rank's trials
  std::vector<std::int64_t> chosen_;  ///< bits of the next current_, 0 where another rank knows
  std::vector<T> target_;
  std::int64_t failure_ = 0;  ///< 1 + time B + trial of the last step at which something went wrong
  LatentTrajectories result_;
};

}  // namespace

template <class T>
LatentTrajectories simulate_backward(const LatentModel& model, std::span<const double> parameters,
                                     const FilterData& data, FilterHistory<T>& history, std::int64_t count,
                                     const FilterRandomness& randomness) {
  return BackwardPass<T>(model, parameters, data, history, count, randomness).run();
}

template LatentTrajectories simulate_backward(const LatentModel&, std::span<const double>, const FilterData&,
                                              FilterHistory<float>&, std::int64_t, const FilterRandomness&);
template LatentTrajectories simulate_backward(const LatentModel&, std::span<const double>, const FilterData&,
                                              FilterHistory<double>&, std::int64_t, const FilterRandomness&);

}  // namespace rankflow::smc
