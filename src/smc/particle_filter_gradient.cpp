#include <algorithm>
#include <cmath>

#include "smc/particle_filter_state.hpp"

namespace rankflow::smc {

namespace {

template <class T>
void add(const std::vector<T>& from, double* to) {
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += static_cast<double>(from[i]);
}

}  // namespace

template <class T>
void ParticleFilter<T>::Implementation::start_adjoint(double scale) {
  scale_ = scale;
  const auto channels = static_cast<std::size_t>(model_.channels());
  block_adjoints_.clear();
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const Block& which = block(local);
    BlockAdjoint<T> adjoint;
    adjoint.proposal = table_.make_adjoint(which.first_trial, which.trials);
    if (table_.needs_density()) {
      adjoint.readout.assign(arrays_.readout.size(), 0.0);
      for (auto* sums : {&adjoint.neuron_bias, &adjoint.scale, &adjoint.observation_bias, &adjoint.precision})
        sums->assign(channels, 0.0);
    }
    adjoint.inputs.assign(static_cast<std::size_t>(which.trials * times_ * inputs_), 0.0);
    adjoint.initial_mean.assign(static_cast<std::size_t>(rank_), 0.0);
    block_adjoints_.push_back(std::move(adjoint));
  }
}

/// From the log weights of a step to its states and what made them.
template <class T>
void ParticleFilter<T>::Implementation::weight_adjoint(std::int64_t time) {
  const auto& now = slice(time);
  const bool last = time + 1 == times_;
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const Block& which = block(local);
    auto& sums = block_adjoints_[static_cast<std::size_t>(local)];
    T* weight_adjoint = log_weight_adjoint_.data() + local * L;
    T* zeta_adjoint = now.zeta_adjoint + local * states_ * L;
    const ProposalStates<T> states{now.mu + local * rank_ * L, now.eps + local * rank_ * L,
                                   now.zeta + local * states_ * L};
    for (std::int64_t trial = 0; trial < which.trials; ++trial) {
      // Without resampling the step's own likelihood drops out of the sum: weights go on into the next step.
      if (!last && !now.resampled[local_trial(which.first_trial + trial)]) continue;
      const std::int64_t first = trial * which.particles;
      for (std::int64_t p = first; p < first + which.particles; ++p)
        weight_adjoint[p] = static_cast<T>(scale_ * now.weights[local * L + p]);
    }
    if (table_.needs_density()) {
      fill_observations(time, which);
      readout_density_adjoint(readout(), states.z, observed_.data(), weight_adjoint, which.lanes(), zeta_adjoint,
                              {sums.readout.data(), sums.neuron_bias.data(), sums.scale.data(),
                               sums.observation_bias.data(), sums.precision.data()});
    }
    table_.add(which, time, states, weight_adjoint, zeta_adjoint, now.mu_adjoint + local * rank_ * L, sums.proposal);
    for (std::int64_t trial = 0; trial < which.trials; ++trial) {
      const LaneRange lanes{trial * which.particles, (trial + 1) * which.particles};
      for (std::int64_t i = 0; i < inputs_; ++i)
        sums.inputs[static_cast<std::size_t>((trial * times_ + time) * inputs_ + i)] +=
            static_cast<double>(lane_sum(zeta_adjoint + (rank_ + i) * L, lanes));
    }
  }
}

/// From mu(t) to the ancestors' states, decay and inputs; weights of the network follow in finish_block().
template <class T>
void ParticleFilter<T>::Implementation::transition_adjoint(std::int64_t time) {
  const auto& now = slice(time);
  alignas(64) T product[L] = {};
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const Block& which = block(local);
    auto& sums = block_adjoints_[static_cast<std::size_t>(local)];
    const LaneRange all{0, which.lanes()};
    const T* mu_adjoint = now.mu_adjoint + local * rank_ * L;
    const T* from = now.ancestors + local * states_ * L;
    // The step's own zeta_adjoint has been used; the ancestors' takes its place.
    T* adjoint = now.zeta_adjoint + local * states_ * L;
    std::fill_n(adjoint, states_ * L, T(0));
    if (time > 0 || has_bias_start())
      step_adjoints_.add(arrays_.transition, local, {from, mu_adjoint, which.lanes()}, adjoint);
    if (time == 0) {
      for (std::int64_t r = 0; r < rank_; ++r)
        sums.initial_mean[static_cast<std::size_t>(r)] += static_cast<double>(lane_sum(mu_adjoint + r * L, all));
      continue;
    }
    for (std::int64_t r = 0; r < rank_; ++r) {
      for (std::int64_t p = 0; p < which.lanes(); ++p) {
        adjoint[r * L + p] += arrays_.decay * mu_adjoint[r * L + p];
        product[p] = mu_adjoint[r * L + p] * from[r * L + p];
      }
      sums.decay += static_cast<double>(lane_sum(static_cast<const T*>(product), all));
    }
    for (std::int64_t trial = 0; trial < which.trials; ++trial) {
      const LaneRange lanes{trial * which.particles, (trial + 1) * which.particles};
      for (std::int64_t i = 0; i < inputs_; ++i)
        sums.inputs[static_cast<std::size_t>((trial * times_ + time - 1) * inputs_ + i)] +=
            static_cast<double>(lane_sum(adjoint + (rank_ + i) * L, lanes));
    }
  }
}

template <class T>
void ParticleFilter<T>::Implementation::resampling_adjoint(std::int64_t time) {
  exchange_.backward(slice(time).genealogy, slice(time + 1).zeta_adjoint, states_, slice(time).zeta_adjoint, states_);
}

/// One block's adjoint of the flat parameter vector: every chain rule is linear, so that blocks can be added after it.
template <class T>
void ParticleFilter<T>::Implementation::finish_block(std::int64_t local, std::span<double> leaf) {
  const Block& which = block(local);
  auto& sums = block_adjoints_[static_cast<std::size_t>(local)];
  auto& space = space_adjoint_;
  space.clear();
  std::vector<T> m(arrays_.step_weights.size()), n(arrays_.n.size()), bias(arrays_.bias.size());
  step_adjoints_.finish(arrays_.transition, local, {m, n, bias});
  add(m, space.step_weights.data());
  add(n, space.n.data());
  add(bias, space.bias.data());
  if (table_.needs_density()) {
    add(sums.readout, space.readout.data());
    add(sums.observation_bias, space.observation_bias.data());
    if (readout().rates) {
      add(sums.neuron_bias, space.bias.data());
      add(sums.scale, space.scale.data());
    }
    for (Eigen::Index d = 0; d < space.variance.size(); ++d)
      space.variance[d] -= sums.precision[static_cast<std::size_t>(d)] / (space_.variance[d] * space_.variance[d]);
  }
  Vector guide_variance = Vector::Zero(rank_);
  table_.finish(sums.proposal, space_,
                {.space = &space, .log_guide_variance = &guide_variance, .guides = guide_leaf_, .inputs = sums.inputs});
  const auto per_trial = static_cast<std::size_t>(times_ * inputs_);
  for (std::int64_t trial = 0; trial < which.trials && inputs_ > 0; ++trial) {
    const auto at = static_cast<std::size_t>(trial) * per_trial;
    const auto global = static_cast<std::size_t>(which.first_trial + trial) * per_trial;
    const auto mine = static_cast<std::size_t>(local_trial(which.first_trial + trial)) * per_trial;
    space.decay += network_inputs_adjoint(model_.options().network.input_path, space_.decay, inputs_,
                                          data_.inputs.subspan(global, per_trial),
                                          std::span<const double>(network_inputs_).subspan(mine, per_trial),
                                          std::span(sums.inputs).subspan(at, per_trial));
  }
  space.decay += sums.decay;
  for (std::int64_t r = 0; r < rank_; ++r) space.initial_mean[r] += sums.initial_mean[static_cast<std::size_t>(r)];
  space.add_to(model_, space_, leaf);
  if (guide_variance_id_) {
    const auto part = model_.layout().part(leaf, *guide_variance_id_);
    for (std::int64_t r = 0; r < rank_; ++r) part[static_cast<std::size_t>(r)] += guide_variance[r];
  }
}

template <class T>
typename ParticleFilter<T>::Gradient ParticleFilter<T>::Implementation::finish_gradient(FilterResult&& result) {
  parameter_sum_.start(layout_.first_block(), layout_.end_block());
  if (guide_sum_) guide_sum_->start(layout_.first_block(), layout_.end_block());
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    std::fill(leaf_.begin(), leaf_.end(), 0.0);
    std::fill(guide_leaf_.begin(), guide_leaf_.end(), 0.0);
    finish_block(local, leaf_);
    parameter_sum_.add(std::span<const double>(leaf_));
    if (guide_sum_) guide_sum_->add(std::span<const double>(guide_leaf_));
  }
  parameter_sum_.finish(comm_, layout_.rank_bounds(), parameter_adjoint_);
  if (guide_sum_) guide_sum_->finish(comm_, layout_.rank_bounds(), guide_adjoint_);
  return {.result = std::move(result), .parameters = parameter_adjoint_, .guides = guide_adjoint_};
}

template <class T>
typename ParticleFilter<T>::Gradient ParticleFilter<T>::gradient(std::span<const double> parameters,
                                                                 const FilterData& data,
                                                                 const FilterRandomness& randomness, double scale) {
  auto& pass = *implementation_;
  pass.prepare(parameters, data, true);
  auto result = pass.forward(randomness, {});
  pass.start_adjoint(scale);
  pass.tape_.backward();
  return pass.finish_gradient(std::move(result));
}

template struct ParticleFilter<float>::Implementation;
template struct ParticleFilter<double>::Implementation;
template ParticleFilter<float>::Gradient ParticleFilter<float>::gradient(std::span<const double>, const FilterData&,
                                                                         const FilterRandomness&, double);
template ParticleFilter<double>::Gradient ParticleFilter<double>::gradient(std::span<const double>, const FilterData&,
                                                                           const FilterRandomness&, double);

}  // namespace rankflow::smc
