#include "smc/proposal.hpp"

#include <array>

namespace rankflow::smc {

namespace {

constexpr std::int64_t L = block_lanes;

template <class T>
using LaneRow = std::array<T, block_lanes>;

/// out[lane] = sum_q row[q] x_q[lane] over q < columns.
template <class T>
void combine(const T* row, const T* x, std::int64_t columns, LaneRange lanes, T* out) {
  for (std::int64_t p = lanes.begin; p < lanes.end; ++p) out[p] = row[0] * x[p];
  for (std::int64_t q = 1; q < columns; ++q) {
    const T factor = row[q];
    const T* column = x + q * L;
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p) out[p] += factor * column[p];
  }
}

/// The argument of the quadratic form: mu - centre, or z - mu.
template <class T>
T deviation(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, std::int64_t q, std::int64_t p) {
  const std::int64_t at = q * L + p;
  return c.weight == WeightForm::marginal ? states.mu[at] - c.centre[at] : states.z[at] - states.mu[at];
}

/// image[lane] = row r of form times deviation.
template <class T>
void form_row(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, std::int64_t r, LaneRange lanes,
              LaneRow<T>& image) {
  for (std::int64_t p = lanes.begin; p < lanes.end; ++p) image[static_cast<std::size_t>(p)] = 0;
  for (std::int64_t q = 0; q < c.rank; ++q) {
    const T factor = c.form[r * c.rank + q];
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p)
      image[static_cast<std::size_t>(p)] += factor * deviation(c, states, q, p);
  }
}

/// sums[r q] += scale[lane] left_r[lane] right_q[lane] for q <= r (lower) or all q.
template <class T>
void add_products(const T* left, const T* right, std::int64_t rank, bool lower, LaneRange lanes, T* sums) {
  for (std::int64_t r = 0; r < rank; ++r) {
    for (std::int64_t q = 0; q < (lower ? r + 1 : rank); ++q) {
      T* sum = sums + (r * rank + q) * L;
      for (std::int64_t p = lanes.begin; p < lanes.end; ++p) sum[p] += left[r * L + p] * right[q * L + p];
    }
  }
}

template <class T>
void add_form_products(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, const T* weight_adjoint,
                       LaneRange lanes, T* sums) {
  // A weight that is marginal is written in mu itself here: its centre depends on the form.
  const auto argument = [&](std::int64_t q, std::int64_t p) {
    return c.weight == WeightForm::marginal ? states.mu[q * L + p] : deviation(c, states, q, p);
  };
  for (std::int64_t r = 0; r < c.rank; ++r) {
    for (std::int64_t q = 0; q <= r; ++q) {
      const T factor = q == r ? T(-0.5) : T(-1);
      T* sum = sums + (r * c.rank + q) * L;
      for (std::int64_t p = lanes.begin; p < lanes.end; ++p)
        sum[p] += factor * weight_adjoint[p] * argument(r, p) * argument(q, p);
    }
  }
}

/// Adds the adjoint of the quadratic form's argument: to -mu and z (corrected), or to mu (marginal).
template <class T>
void add_form_adjoint(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, const T* weight_adjoint,
                      LaneRange lanes, T* z_adjoint, T* mu_adjoint) {
  LaneRow<T> image;
  const T mu_sign = c.weight == WeightForm::marginal ? T(-1) : T(1);
  for (std::int64_t r = 0; r < c.rank; ++r) {
    form_row(c, states, r, lanes, image);
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p) {
      const T change = weight_adjoint[p] * image[static_cast<std::size_t>(p)];
      mu_adjoint[r * L + p] += mu_sign * change;
      if (c.weight == WeightForm::corrected) z_adjoint[r * L + p] -= change;
    }
  }
}

}  // namespace

template <class T>
T lane_sum(const T* values, LaneRange lanes) {
  std::array<T, 8> sums{};
  std::int64_t p = lanes.begin;
  for (; p + 8 <= lanes.end; p += 8)
    for (std::size_t i = 0; i < 8; ++i) sums[i] += values[p + static_cast<std::int64_t>(i)];
  for (std::size_t i = 0; p < lanes.end; ++p, ++i) sums[i] += values[p];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

template <class T>
void propose(const ProposalCoefficients<T>& c, const T* mu, const T* eps, LaneRange lanes, T* z) {
  LaneRow<T> noise;
  for (std::int64_t r = 0; r < c.rank; ++r) {
    combine(c.gain + r * c.rank, mu, c.rank, lanes, z + r * L);
    combine(c.spread + r * c.rank, eps, r + 1, lanes, noise.data());
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p)
      z[r * L + p] += c.shift[r * L + p] + noise[static_cast<std::size_t>(p)];
  }
}

template <class T>
void add_proposal_weights(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, LaneRange lanes,
                          double* log_weights) {
  if (c.weight == WeightForm::none) return;
  LaneRow<T> image;
  LaneRow<T> sum{};
  for (std::int64_t r = 0; r < c.rank; ++r) {
    form_row(c, states, r, lanes, image);
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p) {
      const auto lane = static_cast<std::size_t>(p);
      sum[lane] += image[lane] * deviation(c, states, r, p);
      if (c.weight == WeightForm::corrected) sum[lane] -= states.eps[r * L + p] * states.eps[r * L + p];
    }
  }
  for (std::int64_t p = lanes.begin; p < lanes.end; ++p)
    log_weights[p] += c.peak[p] - 0.5 * static_cast<double>(sum[static_cast<std::size_t>(p)]);
}

template <class T>
void propose_adjoint(const ProposalCoefficients<T>& c, const ProposalStates<T>& states, const T* weight_adjoint,
                     LaneRange lanes, T* z_adjoint, T* mu_adjoint, const MatrixAdjoints<T>& matrices) {
  for (std::int64_t r = 0; r < c.rank; ++r)
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p) mu_adjoint[r * L + p] = 0;
  if (c.weight != WeightForm::none) {
    add_form_adjoint(c, states, weight_adjoint, lanes, z_adjoint, mu_adjoint);
    add_form_products(c, states, weight_adjoint, lanes, matrices.form);
  }
  for (std::int64_t r = 0; r < c.rank; ++r) {
    for (std::int64_t q = 0; q < c.rank; ++q) {
      const T factor = c.gain[r * c.rank + q];
      for (std::int64_t p = lanes.begin; p < lanes.end; ++p) mu_adjoint[q * L + p] += factor * z_adjoint[r * L + p];
    }
  }
  add_products(z_adjoint, states.mu, c.rank, false, lanes, matrices.gain);
  add_products(z_adjoint, states.eps, c.rank, true, lanes, matrices.spread);
}

template <class T>
void term_adjoints(std::int64_t rank, const T* mu, const T* weight_adjoint, const T* z_adjoint, LaneRange lanes,
                   const TermAdjoints<T>& terms) {
  LaneRow<T> product;
  for (std::int64_t r = 0; r < rank; ++r) {
    terms.shift[r] = lane_sum(z_adjoint + r * L, lanes);
    for (std::int64_t p = lanes.begin; p < lanes.end; ++p)
      product[static_cast<std::size_t>(p)] = weight_adjoint[p] * mu[r * L + p];
    terms.slope[r] = lane_sum(product.data(), lanes);
  }
  *terms.level = lane_sum(weight_adjoint, lanes);
}

// NOLINTBEGIN(bugprone-macro-parentheses): types stand alone
#define RANKFLOW_INSTANTIATE(T)                                                                                        \
  template T lane_sum(const T*, LaneRange);                                                                            \
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
