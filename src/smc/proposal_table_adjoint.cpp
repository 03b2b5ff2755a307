#include <array>
#include <cmath>

#include "model/fused_product.hpp"
#include "nn/lanes.hpp"
#include "smc/low_rank_step_loops.hpp"
#include "smc/proposal_table.hpp"
#include "smc/with_rank.hpp"

namespace rankflow::smc {

namespace {

template <class T>
Vector block_vector(const std::vector<T>& values) {
  Vector result(static_cast<Eigen::Index>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) result[static_cast<Eigen::Index>(i)] = static_cast<double>(values[i]);
  return result;
}

/// Rows `which` of [.., columns] numbers, in double.
template <class T>
Matrix pick_rows(const std::vector<T>& values, const std::vector<std::int64_t>& which, std::int64_t columns) {
  Matrix part(static_cast<Eigen::Index>(which.size()), columns);
  for (std::size_t i = 0; i < which.size(); ++i)
    for (std::int64_t c = 0; c < columns; ++c)
      part(static_cast<Eigen::Index>(i), c) =
          static_cast<double>(values[static_cast<std::size_t>(which[i] * columns + c)]);
  return part;
}

Matrix pick_rows(const Matrix& values, const std::vector<std::int64_t>& which) {
  Matrix part(static_cast<Eigen::Index>(which.size()), values.cols());
  for (std::size_t i = 0; i < which.size(); ++i) part.row(static_cast<Eigen::Index>(i)) = values.row(which[i]);
  return part;
}

}  // namespace

/// One set's matrices and terms: to noise, information and, by row of the block, to projections and misfit.
template <class T>
void ProposalTable<T>::finish_set(const Set& set, std::size_t index, const ProposalAdjoint<T>& adjoint,
                                  const StateSpace& space, const TableAdjoints& results, Matrix& projections,
                                  Vector& misfit) const {
  const std::int64_t rank = model_.rank();
  const std::int64_t first = (adjoint.first_trial - table_.first_trial) * times_;
  std::vector<std::int64_t> in_set;    // rows of the set that are of this block
  std::vector<std::int64_t> in_block;  // the same rows counted from the block's first
  for (std::size_t i = 0; i < set.rows.size(); ++i) {
    const std::int64_t row = set.rows[i] - first;
    if (row < 0 || row >= adjoint.trials * times_) continue;
    in_set.push_back(static_cast<std::int64_t>(i));
    in_block.push_back(row);
  }
  if (in_block.empty()) return;

  const auto squared = static_cast<std::size_t>(rank * rank);
  const auto matrix = [&](std::size_t which) {
    Matrix sums(rank, rank);
    for (std::size_t i = 0; i < squared; ++i) {
      const T* source = index < common_sets ? adjoint.lanes.data() + ((index * 3 + which) * squared + i) * block_lanes
                                            : adjoint.single.data() + ((index - common_sets) * 3 + which) * squared + i;
      const T sum = index < common_sets ? lane_sum(source, {0, block_lanes}) : *source;
      sums.data()[i] = static_cast<double>(sum);
    }
    return sums;
  };
  Matrix& noise = set.initial ? results.space->initial_noise : results.space->transition_noise;
  if (set.weight == WeightForm::none) {
    noise += Matrix(matrix(1).template triangularView<Eigen::Lower>());
    return;
  }
  if (set.weight == WeightForm::corrected) {
    const double level = pick_rows(adjoint.level, in_block, 1).sum();
    const auto inputs =
        set.guided->adjoint(pick_rows(guide_rows(set), in_set), {.gain = matrix(0),
                                                                 .spread = matrix(1),
                                                                 .form = matrix(2),
                                                                 .shift = pick_rows(adjoint.shift, in_block, rank),
                                                                 .level = level});
    noise += inputs.noise_cholesky;
    *results.log_guide_variance += inputs.log_variance;
    for (std::size_t i = 0; i < in_block.size(); ++i)
      for (std::int64_t r = 0; r < rank; ++r)
        results.guides[static_cast<std::size_t>((adjoint.first_trial * times_ + in_block[i]) * rank + r)] +=
            inputs.means(static_cast<Eigen::Index>(i), r);
    return;
  }
  OptimalUpdate::Terms terms{.shift = pick_rows(set.terms.shift, in_set),
                             .slope = pick_rows(set.terms.slope, in_set),
                             .level = {},
                             .centre = {},
                             .peak = {}};
  std::vector<std::int64_t> rows(in_block);
  for (auto& row : rows) row += first;
  const auto inputs = set.optimal->adjoint(pick_rows(projections_, rows), terms,
                                           {.gain = matrix(0),
                                            .spread = matrix(1),
                                            .weight_information = matrix(2),
                                            .shift = pick_rows(adjoint.shift, in_block, rank),
                                            .slope = pick_rows(adjoint.slope, in_block, rank),
                                            .level = pick_rows(adjoint.level, in_block, 1)});
  noise += inputs.noise_cholesky;
  for (std::size_t i = 0; i < in_block.size(); ++i) {
    projections.row(in_block[i]) += inputs.projections.row(static_cast<Eigen::Index>(i));
    misfit[in_block[i]] += inputs.misfit[static_cast<Eigen::Index>(i)];
  }
  for (std::int64_t d = 0; d < model_.channels(); ++d) {
    if (std::isnan(observation(set.rows[0], d))) continue;
    const auto weights = space.readout.row(d).head(rank);
    const double precision = 1 / space.variance[d];
    const Eigen::RowVectorXd image = weights * inputs.information;
    results.space->readout.row(d).head(rank) += 2 * precision * image;
    results.space->variance[d] += inputs.log_variance * precision - precision * precision * image.dot(weights);
  }
}

/// Projections and misfit to readout, bias, variance and inputs (optimal proposal): one vector of channels after the
/// other, over all rows.
template <class T>
void ProposalTable<T>::finish_readout(const ProposalAdjoint<T>& adjoint, const StateSpace& space,
                                      const Matrix& projections, const Vector& misfit,
                                      const TableAdjoints& results) const {
  using B = xsimd::batch<double>;
  const std::int64_t rank = model_.rank();
  const std::int64_t inputs = model_.inputs();
  const std::int64_t channels = model_.channels();
  const std::int64_t first = (adjoint.first_trial - table_.first_trial) * times_;
  const std::int64_t rows = adjoint.trials * times_;
  const Vector precision = space.variance.cwiseInverse();
  Matrix readout = Matrix::Zero(model_.states(), channels);  // adjoints, transposed
  Vector bias(channels), precision_adjoint(channels);
  const auto one_vector = [&](auto fixed, const auto& at) {
    // Ranks beyond the written-out ones keep their sums in memory.
    std::array<B, row_capacity<fixed()>> held;
    held.fill(B(0.0));
    const B own_precision = at.load(precision.data());
    B bias_sum(0.0), precision_sum(0.0);
    for (std::int64_t row = 0; row < rows; ++row) {
      const B residual = at.load(residuals_.row(first + row).data());
      B image(0.0);
      each_row<fixed()>(rank, [&](std::size_t r) {
        const auto column = static_cast<Eigen::Index>(r);
        const B projection(projections(row, column));
        image = model::fused(projection, at.load(columns_.row(column).data()), image);
        if constexpr (fixed() > 0) {
          held[r] = model::fused(projection, residual, held[r]);
        } else {
          double* const sums = readout.row(column).data();
          at.store(sums, model::fused(projection, residual, at.load(sums)));
        }
      });
      if (!complete_) {
        // Residuals of missing samples are 0 whatever the parameters.
        const B observed =
            at.load(table_.data->observations.data() + (table_.first_trial * times_ + first + row) * channels);
        image = xsimd::select(xsimd::isnan(observed), B(0.0), image);
      }
      const B misfit_part = B(misfit[row]) * residual;
      precision_sum = model::fused(residual, image + misfit_part, precision_sum);
      const B whole = (image + misfit_part + misfit_part) * own_precision;
      bias_sum += whole;
      for (std::int64_t i = 0; i < inputs; ++i) {
        double* const sums = readout.row(rank + i).data();
        at.store(sums, at.load(sums) - whole * B(table_.inputs[static_cast<std::size_t>((first + row) * inputs + i)]));
        results.inputs[static_cast<std::size_t>(row * inputs + i)] -=
            at.sum(whole * at.load(columns_.row(rank + i).data()));
      }
    }
    if constexpr (fixed() > 0)
      for (std::size_t r = 0; r < held.size(); ++r) at.store(readout.row(static_cast<Eigen::Index>(r)).data(), held[r]);
    at.store(bias.data(), bias_sum);
    at.store(precision_adjoint.data(), precision_sum);
  };
  with_rank(rank, [&](auto fixed) { nn::for_lanes<double>(channels, [&](const auto& at) { one_vector(fixed, at); }); });
  results.space->readout.leftCols(rank) += precision.asDiagonal() * readout.topRows(rank).transpose();
  results.space->readout.rightCols(inputs) += readout.bottomRows(inputs).transpose();
  results.space->variance -= precision_adjoint.cwiseProduct(precision.cwiseAbs2());
  results.space->observation_bias -= bias;
}

/// -log(2 pi variance) / 2 of each channel observed, where the density is taken at the samples.
template <class T>
void ProposalTable<T>::finish_constants(const ProposalAdjoint<T>& adjoint, const StateSpace& space,
                                        const TableAdjoints& results) const {
  if (space.variance.size() == 0) return;
  const std::int64_t first = (adjoint.first_trial - table_.first_trial) * times_;
  const Vector level = block_vector(adjoint.level);
  for (std::int64_t row = 0; row < adjoint.trials * times_; ++row)
    for (std::int64_t d = 0; d < model_.channels(); ++d)
      if (!std::isnan(observation(first + row, d))) results.space->variance[d] -= 0.5 * level[row] / space.variance[d];
}

template <class T>
void ProposalTable<T>::finish(const ProposalAdjoint<T>& adjoint, const StateSpace& space,
                              const TableAdjoints& results) const {
  const std::int64_t rows = adjoint.trials * times_;
  Matrix projections = Matrix::Zero(rows, model_.rank());
  Vector misfit = Vector::Zero(rows);
  for (std::size_t i = 0; i < sets_.size(); ++i)
    if (sets_[i].used()) finish_set(sets_[i], i, adjoint, space, results, projections, misfit);
  if (needs_density())
    finish_constants(adjoint, space, results);
  else
    finish_readout(adjoint, space, projections, misfit, results);
}

template class ProposalTable<float>;
template class ProposalTable<double>;

}  // namespace rankflow::smc
