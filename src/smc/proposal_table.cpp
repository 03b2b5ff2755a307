#include "smc/proposal_table.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "model/fused_product.hpp"
#include "nn/lanes.hpp"
#include "smc/low_rank_step_loops.hpp"

namespace rankflow::smc {

using config::ObservationKind;
using config::Proposal;

namespace {

void check_optimal(const LatentModel& model) {
  const auto& observation = model.options().observation;
  if (observation.kind != ObservationKind::gaussian || observation.link_or_default() != config::Link::identity ||
      observation.source == config::ReadoutSource::rates)
    throw ConfigurationError(
        "smc.proposal = \"optimal\" is for Gaussian observations that are affine in the latents (observation.kind = "
        "\"gaussian\", link = \"identity\", source = \"latent\" or \"currents\"); use \"encoder\" or \"bootstrap\"");
}

}  // namespace

template <class T>
ProposalTable<T>::ProposalTable(const LatentModel& model, const config::SmcOptions& options)
    : model_(model), options_(options) {
  if (options.proposal == Proposal::optimal) check_optimal(model);
  shift_rows_.assign(static_cast<std::size_t>(model.rank() * block_lanes + vector_width<T>), T(0));
  centre_rows_.assign(shift_rows_.size(), T(0));
  peak_row_.assign(static_cast<std::size_t>(block_lanes + vector_width<double>), 0.0);
}

template <class T>
double ProposalTable<T>::observation(std::int64_t row, std::int64_t channel) const {
  const std::int64_t at = (table_.first_trial * times_ + row) * model_.channels() + channel;
  return table_.data->observations[static_cast<std::size_t>(at)];
}

template <class T>
void ProposalTable<T>::build(const StateSpace& space, const Vector& log_guide_variance, const TableData& table) {
  table_ = table;
  times_ = table.data->times;
  deal_rows();
  if (options_.proposal == Proposal::optimal) compute_residuals(space);
  for (auto& set : sets_)
    if (set.used()) build_set(set, space, log_guide_variance);
}

template <class T>
std::int64_t ProposalTable<T>::channels_observed(std::int64_t row) const {
  using B = xsimd::batch<double>;
  const double* const values =
      table_.data->observations.data() + (table_.first_trial * times_ + row) * model_.channels();
  auto complete = B(0.0) == B(0.0);
  nn::for_lanes<double>(model_.channels(), [&](const auto& at) {
    const B x = at.load(values);
    complete = complete && !xsimd::isnan(x);
  });
  if (xsimd::all(complete)) return model_.channels();
  return std::count_if(values, values + model_.channels(), [](double x) { return !std::isnan(x); });
}

/// Sorts the rows into sets by what is observed in them.
template <class T>
void ProposalTable<T>::deal_rows() {
  const std::int64_t rows = table_.trials * times_;
  sets_.resize(common_sets);
  for (auto& set : sets_) set.rows.clear();
  places_.resize(static_cast<std::size_t>(rows));
  constants_.assign(static_cast<std::size_t>(rows), 0.0);
  complete_ = true;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t observed = channels_observed(row);
    complete_ = complete_ && observed == model_.channels();
    const bool initial = row % times_ == 0;
    const bool free = observed == 0 || options_.proposal == Proposal::bootstrap;
    const bool partial = options_.proposal == Proposal::optimal && observed < model_.channels();
    std::size_t index = (initial ? 0u : 1u) + (free ? 2u : 0u);
    if (!free && partial) {
      index = sets_.size();
      sets_.emplace_back();
    }
    auto& set = sets_[index];
    set.initial = initial;
    set.weight = free ? WeightForm::none
                      : (options_.proposal == Proposal::optimal ? WeightForm::marginal : WeightForm::corrected);
    places_[static_cast<std::size_t>(row)] = {static_cast<std::uint32_t>(index),
                                              static_cast<std::uint32_t>(set.rows.size())};
    set.rows.push_back(row);
  }
}

/// Residuals, misfits and projections; each row's numbers depend on its own observations alone.
template <class T>
void ProposalTable<T>::compute_residuals(const StateSpace& space) {
  using B = xsimd::batch<double>;
  const std::int64_t rows = table_.trials * times_;
  const std::int64_t channels = model_.channels();
  const std::int64_t rank = model_.rank();
  const std::int64_t inputs = model_.inputs();
  residuals_.resize(rows, channels);
  misfit_.resize(rows);
  projections_.resize(rows, rank);
  columns_ = space.readout.transpose();
  const Vector precision = space.variance.cwiseInverse();
  Vector weighted(channels);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* const observed = table_.data->observations.data() + (table_.first_trial * times_ + row) * channels;
    double* const residuals = residuals_.row(row).data();
    B misfit(0.0);
    nn::for_lanes<double>(channels, [&](const auto& at) {
      B residual = at.load(observed) - at.load(space.observation_bias.data());
      for (std::int64_t i = 0; i < inputs; ++i)
        residual -=
            at.load(columns_.row(rank + i).data()) * B(table_.inputs[static_cast<std::size_t>(row * inputs + i)]);
      residual = xsimd::select(xsimd::isnan(residual), B(0.0), residual);
      const B scaled = residual * at.load(precision.data());
      at.store(residuals, residual);
      at.store(weighted.data(), scaled);
      misfit = model::fused(residual, scaled, misfit);
    });
    misfit_[row] = xsimd::hadd(misfit);
    for (std::int64_t r = 0; r < rank; ++r) {
      const double* const column = columns_.row(r).data();
      B sum(0.0);
      nn::for_lanes<double>(
          channels, [&](const auto& at) { sum = model::fused(at.load(weighted.data()), at.load(column), sum); });
      projections_(row, r) = xsimd::hadd(sum);
    }
  }
}

template <class T>
Matrix ProposalTable<T>::rows_of(const Matrix& all, const Set& set) const {
  Matrix part(static_cast<Eigen::Index>(set.rows.size()), all.cols());
  for (std::size_t i = 0; i < set.rows.size(); ++i) part.row(static_cast<Eigen::Index>(i)) = all.row(set.rows[i]);
  return part;
}

template <class T>
Matrix ProposalTable<T>::guide_rows(const Set& set) const {
  const std::int64_t rank = model_.rank();
  const double* first = table_.data->guides.data() + table_.first_trial * times_ * rank;
  const Eigen::Map<const Matrix> guides(first, table_.trials * times_, rank);
  return rows_of(guides, set);
}

template <class T>
void ProposalTable<T>::store(Set& set, const Matrix& gain, const Matrix& spread, const Matrix& form) {
  const auto copy = [](const Matrix& from, std::vector<T>& to) {
    to.resize(static_cast<std::size_t>(from.size()));
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<T>(from.data()[i]);
  };
  copy(gain, set.gain);
  copy(spread, set.spread);
  copy(form, set.form);
  copy(set.terms.shift, set.shift);
  copy(set.terms.centre, set.centre);
  set.peak.assign(set.terms.peak.data(), set.terms.peak.data() + set.terms.peak.size());
}

template <class T>
void ProposalTable<T>::build_optimal(Set& set, const StateSpace& space) {
  const std::int64_t rank = model_.rank();
  Matrix information = Matrix::Zero(rank, rank);
  double log_variance = 0;
  std::int64_t observed = 0;
  for (std::int64_t d = 0; d < model_.channels(); ++d) {
    if (std::isnan(observation(set.rows[0], d))) continue;
    const auto weights = space.readout.row(d).head(rank);
    information += weights.transpose() * weights / space.variance[d];
    log_variance += std::log(space.variance[d]);
    ++observed;
  }
  set.optimal.emplace(set.initial ? space.initial_noise : space.transition_noise, information, log_variance, observed);
  Vector misfit(static_cast<Eigen::Index>(set.rows.size()));
  for (std::size_t i = 0; i < set.rows.size(); ++i) misfit[static_cast<Eigen::Index>(i)] = misfit_[set.rows[i]];
  set.terms = set.optimal->terms(rows_of(projections_, set), misfit);
  store(set, set.optimal->gain(), set.optimal->spread(), set.optimal->weight_information());
}

template <class T>
void ProposalTable<T>::build_set(Set& set, const StateSpace& space, const Vector& log_guide_variance) {
  if (needs_density()) {
    for (const auto row : set.rows) {
      double constant = 0;
      for (std::int64_t d = 0; d < model_.channels(); ++d) {
        const double x = observation(row, d);
        if (std::isnan(x)) continue;
        constant -=
            space.variance.size() > 0 ? 0.5 * std::log(2 * std::numbers::pi * space.variance[d]) : std::lgamma(x + 1);
      }
      constants_[static_cast<std::size_t>(row)] = constant;
    }
  }
  if (set.weight == WeightForm::marginal) return build_optimal(set, space);
  const auto rows = static_cast<Eigen::Index>(set.rows.size());
  const std::int64_t rank = model_.rank();
  const Matrix& noise = set.initial ? space.initial_noise : space.transition_noise;
  if (set.weight == WeightForm::corrected) {
    set.guided.emplace(noise, log_guide_variance);
    set.terms.shift = set.guided->shift(guide_rows(set));
    set.terms.peak = Vector::Constant(rows, set.guided->level());
    return store(set, set.guided->gain(), set.guided->spread(), set.guided->form());
  }
  set.terms.shift = Matrix::Zero(rows, rank);
  set.terms.peak = Vector::Zero(rows);
  store(set, Matrix::Identity(rank, rank), noise, Matrix());
}

template <class T>
template <class Action>
void ProposalTable<T>::for_each_run(const Block& block, std::int64_t time, const Action& action) const {
  for (std::int64_t first = 0; first < block.trials;) {
    const std::size_t set = set_of(block.first_trial + first, time);
    std::int64_t end = first + 1;
    while (end < block.trials && set_of(block.first_trial + end, time) == set) ++end;
    // Lanes beyond the last particle are computed too: whole vectors are faster.
    action(set, LaneRange{first * block.particles, end == block.trials ? block_lanes : end * block.particles});
    first = end;
  }
}

/// The set's matrices; the terms of its trials are spread over their lanes.
template <class T>
ProposalCoefficients<T> ProposalTable<T>::coefficients(const Block& block, std::int64_t time, std::size_t index,
                                                       LaneRange lanes) {
  const Set& set = sets_[index];
  const std::int64_t rank = model_.rank();
  const std::int64_t first = lanes.begin / block.particles;
  const std::int64_t end = std::min(lanes.end, block.lanes()) / block.particles;
  const auto row_in_set = [&](std::int64_t trial) {
    return static_cast<std::size_t>(places_[static_cast<std::size_t>(row_of(block.first_trial + trial, time))].row);
  };
  // Whole vectors: what they write beyond a trial is written again for the next trial or row.
  const auto spread = [&](std::int64_t trial, auto value, auto* row) {
    using B = xsimd::batch<decltype(value)>;
    const B values(value);
    for (std::int64_t k = 0; k < block.particles; k += static_cast<std::int64_t>(B::size))
      values.store_unaligned(row + trial * block.particles + k);
  };
  const auto spread_rows = [&](const std::vector<T>& terms, ad::AlignedVector<T>& rows) {
    for (std::int64_t r = 0; r < rank; ++r)
      for (std::int64_t trial = first; trial < end; ++trial)
        spread(trial, terms[row_in_set(trial) * static_cast<std::size_t>(rank) + static_cast<std::size_t>(r)],
               rows.data() + r * block_lanes);
  };
  spread_rows(set.shift, shift_rows_);
  if (set.weight == WeightForm::marginal) spread_rows(set.centre, centre_rows_);
  for (std::int64_t trial = first; trial < end; ++trial) spread(trial, set.peak[row_in_set(trial)], peak_row_.data());
  return {.weight = set.weight,
          .rank = rank,
          .gain = set.gain.data(),
          .spread = set.spread.data(),
          .form = set.form.data(),
          .shift = shift_rows_.data(),
          .centre = centre_rows_.data(),
          .peak = peak_row_.data()};
}

template <class T>
void ProposalTable<T>::propose(const Block& block, std::int64_t time, const T* mu, const T* eps, T* z) {
  for_each_run(block, time, [&](std::size_t set, LaneRange lanes) {
    smc::propose(coefficients(block, time, set, lanes), mu, eps, lanes, z);
  });
}

template <class T>
void ProposalTable<T>::add_weights(const Block& block, std::int64_t time, const ProposalStates<T>& states,
                                   double* log_weights) {
  for_each_run(block, time, [&](std::size_t set, LaneRange lanes) {
    if (sets_[set].weight == WeightForm::none) return;
    add_proposal_weights(coefficients(block, time, set, lanes), states, lanes, log_weights);
  });
  for (std::int64_t trial = 0; trial < block.trials && needs_density(); ++trial) {
    const double level = constant(block.first_trial + trial, time);
    for (std::int64_t k = 0; k < block.particles; ++k) log_weights[trial * block.particles + k] += level;
  }
}

template <class T>
double ProposalTable<T>::constant(std::int64_t trial, std::int64_t time) const {
  return constants_[static_cast<std::size_t>(row_of(trial, time))];
}

template <class T>
ProposalAdjoint<T> ProposalTable<T>::make_adjoint(std::int64_t first_trial, std::int64_t trials) const {
  const auto squared = static_cast<std::size_t>(model_.rank() * model_.rank());
  const auto rows = static_cast<std::size_t>(trials * times_);
  ProposalAdjoint<T> adjoint;
  adjoint.first_trial = first_trial;
  adjoint.trials = trials;
  adjoint.lanes.assign(common_sets * 3 * squared * static_cast<std::size_t>(block_lanes), T(0));
  adjoint.single.assign((sets_.size() - common_sets) * 3 * squared, T(0));
  adjoint.shift.assign(rows * static_cast<std::size_t>(model_.rank()), T(0));
  adjoint.slope.assign(rows * static_cast<std::size_t>(model_.rank()), T(0));
  adjoint.level.assign(rows, T(0));
  return adjoint;
}

template <class T>
void ProposalTable<T>::add(const Block& block, std::int64_t time, const ProposalStates<T>& states,
                           const T* weight_adjoint, T* z_adjoint, T* mu_adjoint, ProposalAdjoint<T>& adjoint) {
  const std::int64_t rank = model_.rank();
  const auto squared = static_cast<std::size_t>(rank * rank);
  const std::size_t stride = squared * static_cast<std::size_t>(block_lanes);
  for_each_run(block, time, [&](std::size_t set, LaneRange lanes) {
    const bool common = set < common_sets;
    if (!common) scratch_.assign(3 * stride, T(0));
    T* sums = common ? adjoint.lanes.data() + set * 3 * stride : scratch_.data();
    propose_adjoint(coefficients(block, time, set, lanes), states, weight_adjoint, lanes, z_adjoint, mu_adjoint,
                    {sums, sums + stride, sums + 2 * stride});
    if (common) return;
    T* single = adjoint.single.data() + (set - common_sets) * 3 * squared;
    for (std::size_t i = 0; i < 3 * squared; ++i) single[i] = lane_sum(scratch_.data() + i * block_lanes, lanes);
  });
  for (std::int64_t trial = 0; trial < block.trials; ++trial) {
    const auto row = static_cast<std::size_t>((block.first_trial + trial - adjoint.first_trial) * times_ + time);
    const auto at = row * static_cast<std::size_t>(rank);
    term_adjoints(rank, states.mu, weight_adjoint, z_adjoint, {trial * block.particles, (trial + 1) * block.particles},
                  {adjoint.shift.data() + at, adjoint.slope.data() + at, adjoint.level.data() + row});
  }
}

template class ProposalTable<float>;
template class ProposalTable<double>;

}  // namespace rankflow::smc
