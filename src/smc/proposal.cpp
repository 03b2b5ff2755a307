#include "smc/proposal.hpp"

#include <array>
#include <type_traits>

#include "model/fused_product.hpp"
#include "nn/lanes.hpp"
#include "smc/low_rank_step_loops.hpp"
#include "smc/with_rank.hpp"

namespace rankflow::smc {

namespace {

/// The rows of one vector of lanes.
template <class T, class Lanes>
struct LaneVector {
  using B = xsimd::batch<T>;
  const Lanes& lanes;
  std::int64_t begin;

  B load(const T* rows, std::size_t k) const { return lanes.load(rows + static_cast<std::int64_t>(k) * L + begin); }
  void store(T* rows, std::size_t k, const B& value) const {
    lanes.store(rows + static_cast<std::int64_t>(k) * L + begin, value);
  }
  void add(T* rows, std::size_t k, const B& left, const B& right) const {
    store(rows, k, model::fused(left, right, load(rows, k)));
  }
};

/// action(R, vector) for all vectors of lanes.
template <class T, class Action>
void each_vector(std::int64_t rank, LaneRange range, const Action& action) {
  with_rank(rank, [&](auto fixed) {
    nn::for_lanes<T>(range.end - range.begin, [&](const auto& lanes) {
      action(fixed, LaneVector<T, std::decay_t<decltype(lanes)>>{lanes, range.begin});
    });
  });
}

/// The argument of the quadratic form: mu - centre, or z - mu.
template <class T>
struct Deviation {
  Deviation(const ProposalCoefficients<T>& c, const ProposalStates<T>& states)
      : left(c.weight == WeightForm::marginal ? states.mu : states.z),
        right(c.weight == WeightForm::marginal ? c.centre : states.mu) {}
  template <class V>
  xsimd::batch<T> operator()(const V& vector, std::size_t q) const {
    return vector.load(left, q) - vector.load(right, q);
  }
  const T *left, *right;
};

/// Row r of form times deviation.
template <int R, class T, class V>
xsimd::batch<T> form_row(const ProposalCoefficients<T>& c, const Deviation<T>& deviation, const V& vector,
                         std::size_t r) {
  const T* row = c.form + static_cast<std::int64_t>(r) * c.rank;
  xsimd::batch<T> image(T(0));
  each_row<R>(c.rank,
              [&](std::size_t q) { image = model::fused(xsimd::batch<T>(row[q]), deviation(vector, q), image); });
  return image;
}

/// Adjoint of the quadratic form and of its argument: to -mu and z (corrected), or to mu (marginal). Sets mu_adjoint.
template <int R, class T, class V>
void add_form_adjoint(const ProposalCoefficients<T>& c, const ProposalStates<T>& states,
                      const xsimd::batch<T>& weight_adjoint, const V& vector, T* z_adjoint, T* mu_adjoint, T* sums) {
  using B = xsimd::batch<T>;
  const Deviation<T> deviation(c, states);
  const bool marginal = c.weight == WeightForm::marginal;
  // A weight that is marginal is written in mu itself here: its centre depends on the form.
  const auto argument = [&](std::size_t q) { return marginal ? vector.load(states.mu, q) : deviation(vector, q); };
  each_row<R>(c.rank, [&](std::size_t r) {
    const B change = weight_adjoint * form_row<R>(c, deviation, vector, r);
    vector.store(mu_adjoint, r, marginal ? -change : change);
    if (!marginal) vector.store(z_adjoint, r, vector.load(z_adjoint, r) - change);
    const B left = -weight_adjoint * argument(r);
    for (std::size_t q = 0; q < r; ++q) vector.add(sums, r * static_cast<std::size_t>(c.rank) + q, left, argument(q));
    vector.add(sums, r * static_cast<std::size_t>(c.rank) + r, B(T(0.5)) * left, argument(r));
  });
}

}  // namespace

template <class T>
void propose(const ProposalCoefficients<T>& c, const T* mu, const T* eps, LaneRange lanes, T* z) {
  using B = xsimd::batch<T>;
  each_vector<T>(c.rank, lanes, [&](auto fixed, const auto& vector) {
    each_row<fixed()>(c.rank, [&](std::size_t r) {
      const std::size_t row = r * static_cast<std::size_t>(c.rank);
      B sample = vector.load(c.shift, r);
      each_row<fixed()>(c.rank,
                        [&](std::size_t q) { sample = model::fused(B(c.gain[row + q]), vector.load(mu, q), sample); });
      for (std::size_t q = 0; q <= r; ++q) sample = model::fused(B(c.spread[row + q]), vector.load(eps, q), sample);
      vector.store(z, r, sample);
    });
  });
}

template <class T>
void add_proposal_weights(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, LaneRange lanes,
                          double* log_weights) {
  using B = xsimd::batch<T>;
  if (c.weight == WeightForm::none) return;
  const Deviation<T> deviation(c, states);
  std::array<T, block_lanes> distance;
  each_vector<T>(c.rank, lanes, [&](auto fixed, const auto& vector) {
    B sum(T(0));
    each_row<fixed()>(c.rank, [&](std::size_t r) {
      sum = model::fused(form_row<fixed()>(c, deviation, vector, r), deviation(vector, r), sum);
      if (c.weight == WeightForm::marginal) return;
      const B eps = vector.load(states.eps, r);
      sum = model::fused_minus(eps, eps, sum);
    });
    vector.store(distance.data(), 0, sum);
  });
  for (std::int64_t p = lanes.begin; p < lanes.end; ++p)
    log_weights[p] += c.peak[p] - 0.5 * static_cast<double>(distance[static_cast<std::size_t>(p)]);
}

template <class T>
void propose_adjoint(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, const T* weight_adjoint,
                     LaneRange lanes, T* z_adjoint, T* mu_adjoint, const MatrixAdjoints<T>& matrices) {
  using B = xsimd::batch<T>;
  const auto rank = static_cast<std::size_t>(c.rank);
  each_vector<T>(c.rank, lanes, [&](auto fixed, const auto& vector) {
    if (c.weight != WeightForm::none)
      add_form_adjoint<fixed()>(c, states, vector.load(weight_adjoint, 0), vector, z_adjoint, mu_adjoint,
                                matrices.form);
    each_row<fixed()>(c.rank, [&](std::size_t q) {
      B sum = c.weight == WeightForm::none ? B(T(0)) : vector.load(mu_adjoint, q);
      each_row<fixed()>(
          c.rank, [&](std::size_t r) { sum = model::fused(B(c.gain[r * rank + q]), vector.load(z_adjoint, r), sum); });
      vector.store(mu_adjoint, q, sum);
    });
    each_row<fixed()>(c.rank, [&](std::size_t r) {
      const B adjoint = vector.load(z_adjoint, r);
      each_row<fixed()>(
          c.rank, [&](std::size_t q) { vector.add(matrices.gain, r * rank + q, adjoint, vector.load(states.mu, q)); });
      for (std::size_t q = 0; q <= r; ++q)
        vector.add(matrices.spread, r * rank + q, adjoint, vector.load(states.eps, q));
    });
  });
}

template <class T>
void term_adjoints(std::int64_t rank, const T* mu, const T* weight_adjoint, const T* z_adjoint, LaneRange lanes,
                   const TermAdjoints<T>& terms) {
  using B = xsimd::batch<T>;
  const LaneSum<T> sum(lanes);
  for (std::int64_t r = 0; r < rank; ++r) {
    terms.shift[r] = sum(z_adjoint + r * L);
    const T* row = mu + r * L;
    terms.slope[r] = sum(
        [&](std::int64_t lane) { return B::load_unaligned(weight_adjoint + lane) * B::load_unaligned(row + lane); });
  }
  *terms.level = sum(weight_adjoint);
}

// NOLINTBEGIN(bugprone-macro-parentheses): types stand alone
#define RANKFLOW_INSTANTIATE(T)                                                                                        \
  template void propose(const ProposalCoefficients<T>&, const T*, const T*, LaneRange, T*);                            \
  template void add_proposal_weights(const ProposalCoefficients<T>&, const ProposalStates<T>&, LaneRange, double*);    \
  template void propose_adjoint(const ProposalCoefficients<T>&, const ProposalStates<T>&, const T*, LaneRange, T*, T*, \
                                const MatrixAdjoints<T>&);                                                             \
  template void term_adjoints(std::int64_t, const T*, const T*, const T*, LaneRange, const TermAdjoints<T>&);
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace rankflow::smc
