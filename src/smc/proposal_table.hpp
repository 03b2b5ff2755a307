#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/smc_options.hpp"
#include "smc/guided_update.hpp"
#include "smc/optimal_update.hpp"
#include "smc/particle_filter.hpp"
#include "smc/proposal.hpp"
#include "smc/state_space.hpp"

namespace rankflow::smc {

/// Data of the trials [first_trial, first_trial + trials) that this rank's blocks hold, and their network inputs.
struct TableData {
  const FilterData* data = nullptr;
  std::int64_t first_trial = 0;
  std::int64_t trials = 0;
  std::span<const double> inputs;  ///< v [trials, T, I]
};

/// Adjoints gathered by one block over all steps; terms by (trial of the block, time).
template <class T>
struct ProposalAdjoint {
  std::int64_t first_trial = 0;  ///< of the block
  std::int64_t trials = 0;
  std::vector<T> lanes;         ///< [common set][gain, spread, form][R R][block_lanes]
  std::vector<T> single;        ///< [other set][gain, spread, form][R R], already summed over lanes
  std::vector<T> shift, slope;  ///< [trials, T, R]
  std::vector<T> level;         ///< [trials, T]
};

/// What table adjoints become.
struct TableAdjoints {
  StateSpaceAdjoint* space = nullptr;
  Vector* log_guide_variance = nullptr;  ///< [R]
  std::span<double> guides;              ///< [B, T, R]
  std::span<double> inputs;              ///< v of the block's trials [trials, T, I]
};

/// Proposals of every (trial, step): coefficients depend on the step only through what was observed. Sets of equal
/// matrices: 0 first state, 1 transition, 2 and 3 the same with nothing observed, from 4 on partly observed steps.
template <class T>
class ProposalTable {
 public:
  ProposalTable(const LatentModel& model, const config::SmcOptions& options);

  /// Prepares all steps of the trials in `table`, whose data must outlive the table's use.
  void build(const StateSpace& space, const Vector& log_guide_variance, const TableData& table);
  /// Draws z of all particles of a block: states.z is set.
  void propose(const Block& block, std::int64_t time, const T* mu, const T* eps, T* z);
  /// log_weights[lane] += the proposals' part, and constant().
  void add_weights(const Block& block, std::int64_t time, const ProposalStates<T>& states, double* log_weights);
  /// True when the weight needs the density of the observation at the sample.
  bool needs_density() const noexcept { return options_.proposal != config::Proposal::optimal; }
  /// Terms of log p(x | z) that do not depend on z, where needs_density().
  double constant(std::int64_t trial, std::int64_t time) const;

  ProposalAdjoint<T> make_adjoint(std::int64_t first_trial, std::int64_t trials) const;
  /// propose_adjoint() and term_adjoints() for all particles of a block, into `adjoint`.
  void add(const Block& block, std::int64_t time, const ProposalStates<T>& states, const T* weight_adjoint,
           T* z_adjoint, T* mu_adjoint, ProposalAdjoint<T>& adjoint);
  /// Chain rule to the state space, guides and inputs; everything is added.
  void finish(const ProposalAdjoint<T>& adjoint, const StateSpace& space, const TableAdjoints& results) const;

 private:
  static constexpr std::size_t common_sets = 4;
  /// Steps that share their matrices.
  struct Set {
    WeightForm weight = WeightForm::none;
    bool initial = false;
    std::optional<OptimalUpdate> optimal;
    std::optional<GuidedUpdate> guided;
    std::vector<std::int64_t> rows;  ///< trial T + time, local trial
    std::vector<T> gain, spread, form;
    std::vector<T> shift, centre;  ///< [rows, R]
    std::vector<double> peak;
    OptimalUpdate::Terms terms;
    bool used() const noexcept { return !rows.empty(); }
  };
  struct Place {
    std::uint32_t set = 0;
    std::uint32_t row = 0;
  };

  std::int64_t row_of(std::int64_t trial, std::int64_t time) const noexcept {
    return (trial - table_.first_trial) * times_ + time;
  }
  std::size_t set_of(std::int64_t trial, std::int64_t time) const {
    return places_[static_cast<std::size_t>(row_of(trial, time))].set;
  }
  /// Calls action(set, lanes) for neighbouring trials of equal sets.
  template <class Action>
  void for_each_run(const Block& block, std::int64_t time, const Action& action) const;
  ProposalCoefficients<T> coefficients(const Block& block, std::int64_t time, std::size_t set, LaneRange lanes);
  double observation(std::int64_t row, std::int64_t channel) const;
  std::int64_t channels_observed(std::int64_t row) const;
  void compute_residuals(const StateSpace& space);
  void deal_rows();
  void build_set(Set& set, const StateSpace& space, const Vector& log_guide_variance);
  void build_optimal(Set& set, const StateSpace& space);
  void store(Set& set, const Matrix& gain, const Matrix& spread, const Matrix& form);
  Matrix rows_of(const Matrix& all, const Set& set) const;
  Matrix guide_rows(const Set& set) const;

  void finish_set(const Set& set, std::size_t index, const ProposalAdjoint<T>& adjoint, const StateSpace& space,
                  const TableAdjoints& results, Matrix& projections, Vector& misfit) const;
  void finish_readout(const ProposalAdjoint<T>& adjoint, const StateSpace& space, const Matrix& projections,
                      const Vector& misfit, const TableAdjoints& results) const;
  void finish_constants(const ProposalAdjoint<T>& adjoint, const StateSpace& space, const TableAdjoints& results) const;

  const LatentModel& model_;
  config::SmcOptions options_;
  TableData table_;
  std::int64_t times_ = 0;
  bool complete_ = true;  ///< nothing is missing
  Matrix residuals_;      ///< x - c - readout v, 0 where missing; [rows, D]
  Matrix projections_;    ///< y [rows, R]
  Vector misfit_;         ///< [rows]
  Matrix columns_;        ///< of the readout, as rows: [Q, D]
  std::vector<Set> sets_;
  std::vector<Place> places_;
  std::vector<double> constants_;
  std::vector<T> scratch_;
  ad::AlignedVector<T> shift_rows_, centre_rows_;  ///< terms of a run, lane by lane, and room for a vector
  ad::AlignedVector<double> peak_row_;
};

}  // namespace rankflow::smc
