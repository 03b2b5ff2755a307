#include "smc/particle_filter.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "io/agreement.hpp"
#include "smc/particle_filter_state.hpp"

namespace rankflow::smc {

namespace {}  // namespace

template <class T>
ParticleFilter<T>::Implementation::Implementation(const LatentModel& model, const config::SmcOptions& options,
                                                  const parallel::Communicator& comm, std::int64_t trials,
                                                  std::int64_t times)
    : model_(model),
      comm_(comm),
      times_(times),
      rank_(model.rank()),
      states_(model.states()),
      inputs_(model.inputs()),
      layout_(trials, options.particles, comm.size(), comm.rank()),
      segments_(layout_.local_segments()),
      exchange_(layout_, comm, model.rank()),
      weights_(layout_, options, comm, exchange_),
      table_(model, options),
      noise_(layout_, model.rank()),
      step_adjoints_(model.neurons(), model.states(), model.rank(), layout_.local_blocks(), times),
      space_adjoint_(model),
      parameter_sum_(layout_.blocks(), model.layout().total()) {
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local)
    blocks_.push_back(layout_.block(layout_.first_block() + local));
  const auto lanes = static_cast<std::size_t>(layout_.local_blocks() * L);
  carried_.resize(lanes);
  log_weight_adjoint_.assign(lanes, T(0));
  observed_.assign(static_cast<std::size_t>(model.channels() * L), T(0));
  const auto rows = static_cast<std::size_t>((weights_.end_trial() - weights_.first_trial()) * times);
  log_likelihood_.resize(rows);
  sample_size_.resize(rows);
  network_inputs_.resize(rows * static_cast<std::size_t>(inputs_));
  parameter_adjoint_.resize(static_cast<std::size_t>(model.layout().total()));
  leaf_.resize(parameter_adjoint_.size());
  if (options.proposal == config::Proposal::encoder) {
    guide_variance_id_ = model.layout().find("proposal_log_variance");
    guide_sum_.emplace(layout_.blocks(), trials * times * rank_);
    guide_adjoint_.resize(static_cast<std::size_t>(trials * times * rank_));
    guide_leaf_.resize(guide_adjoint_.size());
  }
}

template <class T>
void ParticleFilter<T>::Implementation::prepare(std::span<const double> parameters, const FilterData& data,
                                                bool record) {
  const auto rows = static_cast<std::size_t>(layout_.trials() * times_);
  if (data.trials != layout_.trials() || data.times != times_ ||
      data.observations.size() != rows * static_cast<std::size_t>(model_.channels()) ||
      data.inputs.size() != rows * static_cast<std::size_t>(inputs_) ||
      (guide_sum_ && data.guides.size() != guide_adjoint_.size()))
    throw InternalError("data of a particle filter do not have the shape it was made for");
  data_ = data;
  space_ = StateSpace(model_, parameters);
  arrays_.take(model_, space_);
  const std::int64_t trials = weights_.end_trial() - weights_.first_trial();
  const auto per_trial = static_cast<std::size_t>(times_ * inputs_);
  for (std::int64_t trial = 0; trial < trials && inputs_ > 0; ++trial) {
    const auto from = static_cast<std::size_t>(weights_.first_trial() + trial) * per_trial;
    network_inputs(model_.options().network.input_path, space_.decay, inputs_, data.inputs.subspan(from, per_trial),
                   std::span(network_inputs_).subspan(static_cast<std::size_t>(trial) * per_trial, per_trial));
  }
  log_guide_variance_ = Vector::Zero(rank_);
  if (guide_variance_id_) {
    const auto part = model_.layout().part(parameters, *guide_variance_id_);
    std::copy(part.begin(), part.end(), log_guide_variance_.data());
  }
  // A rank builds what its own trials need: what fails on one must stop all, or the others would wait for it.
  io::on_all_ranks(comm_, [&] {
    table_.build(space_, log_guide_variance_,
                 {.data = &data_, .first_trial = weights_.first_trial(), .trials = trials, .inputs = network_inputs_});
  });
  tape_.reset();
  tape_.set_recording(record);
  make_slices();
  std::fill(carried_.begin(), carried_.end(), -std::log(static_cast<double>(layout_.particles())));
  failure_at_ = no_failure;
}

template <class T>
FilterSlice<T> ParticleFilter<T>::Implementation::make_slice() {
  auto& arena = tape_.arena();
  const std::int64_t lanes = layout_.local_blocks() * L;
  FilterSlice<T> slice;
  slice.ancestors = arena.zeros<T>(lanes * states_);
  slice.mu = arena.zeros<T>(lanes * rank_);
  slice.eps = arena.zeros<T>(lanes * rank_);
  slice.zeta = arena.zeros<T>(lanes * states_);
  if (tape_.is_recording()) {
    slice.mu_adjoint = arena.zeros<T>(lanes * rank_);
    slice.zeta_adjoint = arena.zeros<T>(lanes * states_);
  }
  slice.weights = arena.zeros<double>(lanes);
  slice.genealogy.first_slots = arena.zeros<std::int64_t>(exchange_.slot_values());
  slice.genealogy.send_counts = arena.zeros<std::int64_t>(layout_.ranks());
  slice.genealogy.receive_counts = arena.zeros<std::int64_t>(layout_.ranks());
  slice.resampled = arena.zeros<std::uint8_t>(weights_.end_trial() - weights_.first_trial());
  return slice;
}

template <class T>
void ParticleFilter<T>::Implementation::make_slices() {
  const std::int64_t kept = tape_.is_recording() ? times_ : std::min<std::int64_t>(times_, 2);
  slices_.clear();
  for (std::int64_t i = 0; i < kept; ++i) slices_.push_back(make_slice());
}

/// mu(t): a z + n^T phi(...) from the ancestors, or the mean of the initial state.
template <class T>
void ParticleFilter<T>::Implementation::predict(std::int64_t time) {
  const auto& now = slice(time);
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const std::int64_t lanes = block(local).lanes();
    const T* from = now.ancestors + local * states_ * L;
    T* mu = now.mu + local * rank_ * L;
    if (time > 0 || has_bias_start()) low_rank_step(arrays_.transition, from, lanes, mu);
    for (std::int64_t r = 0; r < rank_; ++r) {
      for (std::int64_t p = 0; p < lanes; ++p) {
        if (time > 0)
          mu[r * L + p] += arrays_.decay * from[r * L + p];
        else if (!has_bias_start())
          mu[r * L + p] = static_cast<T>(space_.initial_mean[r]);
      }
    }
  }
}

template <class T>
void ParticleFilter<T>::Implementation::draw_noise(std::int64_t time, const parallel::Stream& stream) {
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local)
    noise_.draw(stream, local, static_cast<std::uint32_t>(time), 0, slice(time).eps + local * rank_ * L);
}

template <class T>
void ParticleFilter<T>::Implementation::sample(std::int64_t time) {
  const auto& now = slice(time);
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    table_.propose(block(local), time, now.mu + local * rank_ * L, now.eps + local * rank_ * L,
                   now.zeta + local * states_ * L);
  }
  fill_inputs(time, now.zeta);
}

/// The rows of v(time) beside the latents.
template <class T>
void ParticleFilter<T>::Implementation::fill_inputs(std::int64_t time, T* zeta) const {
  for (std::int64_t local = 0; local < layout_.local_blocks() && inputs_ > 0; ++local) {
    const Block& which = block(local);
    for (std::int64_t trial = 0; trial < which.trials; ++trial) {
      const std::int64_t row = local_trial(which.first_trial + trial) * times_ + time;
      for (std::int64_t i = 0; i < inputs_; ++i)
        std::fill_n(zeta + (local * states_ + rank_ + i) * L + trial * which.particles, which.particles,
                    static_cast<T>(network_inputs_[static_cast<std::size_t>(row * inputs_ + i)]));
    }
  }
}

template <class T>
void ParticleFilter<T>::Implementation::fill_observations(std::int64_t time, const Block& which) {
  for (std::int64_t trial = 0; trial < which.trials; ++trial) {
    const std::int64_t row = (which.first_trial + trial) * times_ + time;
    for (std::int64_t d = 0; d < model_.channels(); ++d)
      std::fill_n(observed_.data() + d * L + trial * which.particles, which.particles,
                  static_cast<T>(data_.observations[static_cast<std::size_t>(row * model_.channels() + d)]));
  }
}

template <class T>
void ParticleFilter<T>::Implementation::weigh(std::int64_t time) {
  const auto& now = slice(time);
  std::copy(carried_.begin(), carried_.end(), now.weights);
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const Block& which = block(local);
    const ProposalStates<T> states{now.mu + local * rank_ * L, now.eps + local * rank_ * L,
                                   now.zeta + local * states_ * L};
    double* log_weights = now.weights + local * L;
    table_.add_weights(which, time, states, log_weights);
    if (!table_.needs_density()) continue;
    fill_observations(time, which);
    add_readout_density(readout(), states.z, observed_.data(), which.lanes(), log_weights);
  }
  weights_.normalise(now.weights);
  for (std::int64_t trial = weights_.first_trial(); trial < weights_.end_trial(); ++trial) {
    const auto row = static_cast<std::size_t>(local_trial(trial) * times_ + time);
    log_likelihood_[row] = weights_.log_sum(trial);
    sample_size_[row] = weights_.sample_size(trial);
  }
  note_failure(time);
}

template <class T>
void ParticleFilter<T>::Implementation::resample(std::int64_t time, const parallel::Stream& stream) {
  const auto& now = slice(time);
  weights_.choose_offspring(now.weights, stream, static_cast<std::uint32_t>(time), now.genealogy);
  const double uniform = -std::log(static_cast<double>(layout_.particles()));
  for (std::int64_t trial = weights_.first_trial(); trial < weights_.end_trial(); ++trial)
    now.resampled[local_trial(trial)] = weights_.is_due(trial) ? 1 : 0;
  for (const Segment& segment : segments_) {
    const std::int64_t first = segment.local_block * L + segment.first_lane;
    double* carried = carried_.data() + first;
    const double* weights = now.weights + first;
    if (weights_.is_due(segment.trial))
      std::fill_n(carried, segment.particles, uniform);
    else
      std::transform(weights, weights + segment.particles, carried, [](double weight) { return std::log(weight); });
  }
  exchange_.plan(weights_.block_slots(), now.genealogy);
  T* ancestors = slice(time + 1).ancestors;
  exchange_.forward(now.genealogy, now.zeta, states_, ancestors, states_);
  fill_inputs(time, ancestors);
}

template <class T>
FilterResult ParticleFilter<T>::Implementation::forward(const FilterRandomness& randomness, const Observer& observer) {
  const parallel::Stream noise(randomness.seed, parallel::Purpose::particle_noise, randomness.iteration);
  const parallel::Stream choice(randomness.seed, parallel::Purpose::resampling, randomness.iteration);
  for (std::int64_t time = 0; time < times_; ++time) {
    predict(time);
    tape_.record([this, time] { transition_adjoint(time); });
    draw_noise(time, noise);
    sample(time);
    weigh(time);
    tape_.record([this, time] { weight_adjoint(time); });
    if (observer)
      observer({.time = time,
                .layout = &layout_,
                .rows = states_,
                .states = slice(time).zeta,
                .weights = slice(time).weights,
                .arrival = time > 0 ? &slice(time - 1).genealogy : nullptr});
    if (time + 1 == times_) break;
    resample(time, choice);
    tape_.record([this, time] { resampling_adjoint(time); });
  }
  return collect();
}

template <class T>
ParticleFilter<T>::ParticleFilter(const LatentModel& model, const config::SmcOptions& options,
                                  const parallel::Communicator& comm, std::int64_t trials, std::int64_t times)
    : implementation_(std::make_unique<Implementation>(model, options, comm, trials, times)) {}

template <class T>
ParticleFilter<T>::~ParticleFilter() = default;
template <class T>
ParticleFilter<T>::ParticleFilter(ParticleFilter&&) noexcept = default;

template <class T>
const ParticleLayout& ParticleFilter<T>::layout() const noexcept {
  return implementation_->layout_;
}

template <class T>
FilterResult ParticleFilter<T>::run(std::span<const double> parameters, const FilterData& data,
                                    const FilterRandomness& randomness, const Observer& observer) {
  implementation_->prepare(parameters, data, false);
  return implementation_->forward(randomness, observer);
}

template class ParticleFilter<float>;
template class ParticleFilter<double>;

}  // namespace rankflow::smc
