#include "smc/filter_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "smc/lane_sum.hpp"

namespace rankflow::smc {

namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// Offspring that residual resampling gives for sure to a particle that expects `expected`. The weights of equal
/// particles are rounded to just below 1 / K: they must count as whole, or nothing of the scheme would be left.
double sure_offspring(double expected) {
  return std::floor(expected + 1e-9);
}

}  // namespace

FilterWeights::FilterWeights(const ParticleLayout& layout, const config::SmcOptions& options,
                             const parallel::Communicator& comm, const OffspringExchange& exchange)
    : layout_(layout),
      options_(options),
      comm_(comm),
      crosses_(layout.crosses_ranks()),
      segments_(layout.local_segments()),
      positions_(options.resampling, layout.particles()) {
  for (const Segment& segment : segments_)
    slots_at_.push_back(exchange.slot_offset(segment.local_block) +
                        segment.first_lane / segment.particles * (segment.particles + 1));
  if (!segments_.empty()) {
    first_trial_ = segments_.front().trial;
    end_trial_ = segments_.back().trial + 1;
    first_segment_ = layout.trials_span_blocks() ? layout.first_block() : first_trial_;
  }
  for (int r = 0; r < layout.ranks(); ++r)
    counts_.push_back(layout.rank_bounds()[static_cast<std::size_t>(r) + 1] -
                      layout.rank_bounds()[static_cast<std::size_t>(r)]);
  const auto all = static_cast<std::size_t>(layout.trials() * segments_per_trial());
  my_summaries_.resize(segments_.size());
  levels_.assign(static_cast<std::size_t>(layout.local_blocks() * L), 0.0);
  summaries_.resize(all);
  shares_.resize(all);
  slots_.resize(all);
  trials_.resize(static_cast<std::size_t>(end_trial_ - first_trial_));
  if (options.resampling == config::Resampling::residual) {
    my_remainders_.resize(segments_.size());
    remainders_.resize(all);
    remainder_weights_.resize(static_cast<std::size_t>(layout.local_blocks() * L));
  }
}

/// Gives every rank the items of all segments; they travel only where a trial lies on several ranks.
template <class Item>
void FilterWeights::share(const std::vector<Item>& mine, std::vector<Item>& all) const {
  if (crosses_)
    comm_.all_gather<Item>(mine, all, counts_);
  else
    std::copy(mine.begin(), mine.end(), all.begin() + first_segment_);
}

/// Log weights become weights relative to the largest of their segment.
void FilterWeights::summarise(double* log_weights) {
  using B = xsimd::batch<double>;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const double* values = log_weights + segment.local_block * L + segment.first_lane;
    double maximum = minus_infinity;
    for (std::int64_t k = 0; k < segment.particles; ++k) {
      // A NaN must not lose the comparison.
      if (!(values[k] <= maximum)) maximum = values[k];
      if (std::isnan(values[k])) break;
    }
    my_summaries_[i] = {.maximum = maximum};
    const double level = std::isfinite(maximum) ? maximum : 0;
    std::fill_n(levels_.data() + segment.local_block * L + segment.first_lane, segment.particles, level);
  }
  for (std::size_t lane = 0; lane < levels_.size(); lane += B::size)
    xsimd::exp(B::load_unaligned(log_weights + lane) - B::load_aligned(levels_.data() + lane))
        .store_unaligned(log_weights + lane);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    if (!std::isfinite(my_summaries_[i].maximum)) continue;
    const double* row = log_weights + segment.local_block * L;
    const LaneSum<double> sum({segment.first_lane, segment.end_lane()});
    my_summaries_[i].sum = sum(row);
    my_summaries_[i].squares = sum([row](std::int64_t lane) {
      const B weight = B::load_unaligned(row + lane);
      return weight * weight;
    });
  }
  share(my_summaries_, summaries_);
}

/// What the weights of a segment, relative to its largest, are multiplied by to be relative to the trial's.
double FilterWeights::relative(const Summary& segment, const TrialState& trial) {
  return segment.maximum == trial.maximum ? 1 : std::exp(segment.maximum - trial.maximum);
}

/// A trial's total from its segments' summaries, the same on every rank that holds part of it.
void FilterWeights::combine(std::int64_t trial) {
  TrialState& state = trial_state(trial);
  const auto first = static_cast<std::size_t>(trial * segments_per_trial());
  const std::size_t end = first + static_cast<std::size_t>(segments_per_trial());
  state.maximum = minus_infinity;
  for (std::size_t s = first; s < end; ++s)
    if (!(summaries_[s].maximum <= state.maximum)) state.maximum = summaries_[s].maximum;
  bool whole = true;
  for (std::size_t s = first; s < end; ++s)
    whole = whole && (std::isfinite(summaries_[s].maximum) || summaries_[s].maximum == minus_infinity);
  state.broken = !whole || !std::isfinite(state.maximum);
  if (state.broken) {
    state.log_sum = std::numeric_limits<double>::quiet_NaN();
    state.sample_size = static_cast<double>(layout_.particles());
    return;
  }
  double squares = 0;
  state.total = 0;
  for (std::size_t s = first; s < end; ++s) {
    const double factor = relative(summaries_[s], state);
    shares_[s] = summaries_[s].sum * factor;
    state.total += shares_[s];
    squares += summaries_[s].squares * factor * factor;
  }
  for (std::size_t s = first; s < end; ++s) shares_[s] /= state.total;
  state.log_sum = state.maximum + std::log(state.total);
  state.sample_size = state.total * state.total / squares;
}

void FilterWeights::normalise(double* log_weights) {
  summarise(log_weights);
  for (std::int64_t trial = first_trial_; trial < end_trial_; ++trial) combine(trial);
  const double uniform = 1.0 / static_cast<double>(layout_.particles());
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const TrialState& state = trial_state(segment.trial);
    double* values = log_weights + segment.local_block * L + segment.first_lane;
    if (state.broken) {
      std::fill_n(values, segment.particles, uniform);
      continue;
    }
    const double factor = relative(my_summaries_[i], state) / state.total;
    for (std::int64_t k = 0; k < segment.particles; ++k) values[k] *= factor;
  }
}

bool FilterWeights::is_due(std::int64_t trial) const {
  const double size = trial_state(trial).sample_size;
  return !is_broken(trial) &&
         (options_.threshold >= 1 || size < options_.threshold * static_cast<double>(layout_.particles()));
}

void FilterWeights::choose_offspring(const double* weights, const parallel::Stream& stream, std::uint32_t step,
                                     const Genealogy& genealogy) {
  const bool residual = options_.resampling == config::Resampling::residual;
  if (residual) split_remainders(weights);
  for (std::int64_t trial = first_trial_; trial < end_trial_; ++trial) {
    if (!is_due(trial)) continue;
    if (residual)
      choose_residual(trial, weights, stream, step, genealogy);
    else
      choose_trial(trial, weights, stream, step, genealogy);
  }
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    if (is_due(segment.trial)) continue;
    const std::int64_t first =
        layout_.trials_span_blocks() ? layout_.block(layout_.first_block() + segment.local_block).first_particle : 0;
    for (std::int64_t k = 0; k <= segment.particles; ++k) genealogy.first_slots[slots_at_[i] + k] = first + k;
  }
  if (crosses_) {
    for (std::int64_t trial = first_trial_; trial < end_trial_; ++trial) {
      if (is_due(trial)) continue;
      for (std::int64_t s = 0; s < segments_per_trial(); ++s)
        slots_[static_cast<std::size_t>(trial * segments_per_trial() + s)] = layout_.particle_begin(s);
    }
  }
}

void FilterWeights::choose_trial(std::int64_t trial, const double* weights, const parallel::Stream& stream,
                                 std::uint32_t step, const Genealogy& genealogy) {
  positions_.draw(stream, static_cast<std::uint32_t>(trial), step, layout_.particles());
  const std::int64_t first = trial * segments_per_trial();
  const std::int64_t end = first + segments_per_trial();
  std::int64_t last = end - 1;  // the last segment with a weight takes the last slots
  while (last > first && !(shares_[static_cast<std::size_t>(last)] > 0)) --last;
  double before = 0;
  for (std::int64_t s = first; s < end; ++s) {
    const double mass = shares_[static_cast<std::size_t>(s)];
    const double after = before + mass;
    const std::int64_t slot = s == first ? 0 : (s > last ? layout_.particles() : positions_.below(before));
    const std::int64_t slot_after = s >= last ? layout_.particles() : positions_.below(after);
    slots_[static_cast<std::size_t>(s)] = slot;
    const std::int64_t mine = s - first_segment_;
    if (mine >= 0 && mine < static_cast<std::int64_t>(segments_.size())) {
      const Segment& segment = segments_[static_cast<std::size_t>(mine)];
      const auto count = static_cast<std::size_t>(segment.particles);
      block_offspring(positions_, {weights + segment.local_block * L + segment.first_lane, count},
                      {.mass_before = before, .mass = mass, .first_slot = slot, .end_slot = slot_after},
                      {genealogy.first_slots + slots_at_[static_cast<std::size_t>(mine)], count + 1});
    }
    before = after;
  }
}

/// Residual resampling: K weight = whole part + remainder.
void FilterWeights::split_remainders(const double* weights) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    Remainder sum;
    for (std::int64_t k = 0; k < segment.particles; ++k) {
      const std::int64_t lane = segment.local_block * L + segment.first_lane + k;
      const double expected = weights[lane] * static_cast<double>(layout_.particles());
      const double whole = sure_offspring(expected);
      const double remainder = std::max(0.0, expected - whole);
      remainder_weights_[static_cast<std::size_t>(lane)] = remainder;
      sum.mass += remainder;
      sum.whole += static_cast<std::int64_t>(whole);
    }
    my_remainders_[i] = sum;
  }
  share(my_remainders_, remainders_);
}

void FilterWeights::choose_residual(std::int64_t trial, const double* weights, const parallel::Stream& stream,
                                    std::uint32_t step, const Genealogy& genealogy) {
  const std::int64_t first = trial * segments_per_trial();
  const std::int64_t end = first + segments_per_trial();
  std::int64_t drawn = layout_.particles();
  double total = 0;
  std::int64_t last = first;
  for (std::int64_t s = first; s < end; ++s) {
    const Remainder& part = remainders_[static_cast<std::size_t>(s)];
    drawn -= part.whole;
    total += part.mass;
    if (part.mass > 0) last = s;
  }
  positions_.draw(stream, static_cast<std::uint32_t>(trial), step, drawn);
  double before = 0;
  std::int64_t drawn_before = 0;
  std::int64_t whole_before = 0;
  for (std::int64_t s = first; s < end; ++s) {
    const Remainder& part = remainders_[static_cast<std::size_t>(s)];
    const double mass = total > 0 ? part.mass / total : 0;
    const std::int64_t drawn_after = s >= last ? drawn : positions_.below(before + mass);
    slots_[static_cast<std::size_t>(s)] = whole_before + drawn_before;
    const std::int64_t mine = s - first_segment_;
    if (mine >= 0 && mine < static_cast<std::int64_t>(segments_.size())) {
      const Segment& segment = segments_[static_cast<std::size_t>(mine)];
      const std::int64_t lane = segment.local_block * L + segment.first_lane;
      const auto count = static_cast<std::size_t>(segment.particles);
      std::int64_t* slots = genealogy.first_slots + slots_at_[static_cast<std::size_t>(mine)];
      block_offspring(positions_, {remainder_weights_.data() + lane, count},
                      {.mass_before = before, .mass = mass, .first_slot = drawn_before, .end_slot = drawn_after},
                      {slots, count + 1});
      std::int64_t whole = whole_before;
      for (std::size_t k = 0; k <= count; ++k) {
        slots[k] += whole;
        if (k < count)
          whole += static_cast<std::int64_t>(
              sure_offspring(weights[lane + static_cast<std::int64_t>(k)] * static_cast<double>(layout_.particles())));
      }
    }
    before += mass;
    drawn_before = drawn_after;
    whole_before += part.whole;
  }
}

}  // namespace rankflow::smc
