#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <xsimd/xsimd.hpp>

#include "config/network_options.hpp"
#include "smc/low_rank_step.hpp"

/// Cases for the low-rank step and a slow, obvious implementation of it in double.
namespace rankflow::smc::testing {

using config::Activation;

inline constexpr Activation every_activation[] = {Activation::tanh,     Activation::relu,    Activation::clipped_relu,
                                                  Activation::softplus, Activation::sigmoid, Activation::erf,
                                                  Activation::identity};

struct Rate {
  double value, by_x, by_bias;
};

inline Rate rate_of(Activation kind, double x, double d) {
  const double s = x + d;
  const auto of_sum = [](double value, double slope) { return Rate{value, slope, slope}; };
  const double on = s > 0 ? 1 : 0;
  switch (kind) {
    case Activation::tanh:
      return of_sum(std::tanh(s), 1 / (std::cosh(s) * std::cosh(s)));
    case Activation::relu:
      return of_sum(on * s, on);
    case Activation::clipped_relu:
      return {on * s - (x > 0 ? x : 0), on - (x > 0 ? 1 : 0), on};
    case Activation::softplus:
      return of_sum(std::log1p(std::exp(s)), 1 / (1 + std::exp(-s)));
    case Activation::sigmoid:
      return of_sum(1 / (1 + std::exp(-s)), std::exp(-s) / ((1 + std::exp(-s)) * (1 + std::exp(-s))));
    case Activation::erf:
      return of_sum(std::erf(std::sqrt(std::numbers::pi) / 2 * s), std::exp(-std::numbers::pi / 4 * s * s));
    case Activation::identity:
      return of_sum(s, 1);
  }
  return {};
}

template <class T>
using Numbers = std::vector<T, xsimd::aligned_allocator<T, 64>>;

/// Weights and `steps` applications to a block, made of numbers that are exact in single precision. No potential lies
/// within 1e-5 of a kink, so that rounding (below 4e-6 here) does not change a slope of 0 or 1.
template <class T>
class Case {
  std::uint64_t state_ = 1;  // first: the arrays are drawn from it

 public:
  Case(Activation activation, std::int64_t neurons, std::int64_t states, std::int64_t rank, std::int64_t lanes_,
       std::int64_t steps = 1)
      : m(draw(neurons * states, 1.0)),
        n(draw(neurons * rank, 1.0)),
        bias(draw(neurons, 1.0)),
        weights{activation, neurons, states, rank, m, n, bias},
        lanes(lanes_) {
    for (std::int64_t t = 0; t < steps; ++t) {
      zeta.push_back(Numbers<T>(size(states * block_lanes)));
      out_adjoint.push_back(draw(rank * block_lanes, 1.0));
      for (std::int64_t lane = 0; lane < block_lanes; ++lane) draw_lane(zeta.back(), lane);
      records.push_back({zeta.back().data(), out_adjoint.back().data(), lanes});
    }
  }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  std::string label() const {
    return "activation " + std::to_string(static_cast<int>(weights.activation)) + ", N " +
           std::to_string(weights.neurons) + ", Q " + std::to_string(weights.states) + ", R " +
           std::to_string(weights.rank) + ", lanes " + std::to_string(lanes);
  }
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

  Numbers<T> m, n, bias;
  StepWeights<T> weights;
  std::int64_t lanes;
  std::vector<Numbers<T>> zeta, out_adjoint;
  std::vector<StepRecord<T>> records;

 private:
  T uniform(double scale) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<T>(static_cast<float>(scale * (static_cast<double>(state_ >> 33) * 0x1p-30 - 1.0)));
  }
  Numbers<T> draw(std::int64_t count, double scale) {
    Numbers<T> result(size(count));
    for (T& each : result) each = uniform(scale);
    return result;
  }
  void draw_lane(Numbers<T>& block, std::int64_t lane) {
    do {
      for (std::int64_t q = 0; q < weights.states; ++q) block[size(q * block_lanes + lane)] = uniform(1.0);
    } while (near_kink(block, lane));
  }
  bool near_kink(const Numbers<T>& block, std::int64_t lane) const {
    for (std::int64_t i = 0; i < weights.neurons; ++i) {
      double x = 0;
      for (std::int64_t q = 0; q < weights.states; ++q)
        x += static_cast<double>(m[size(i * weights.states + q)]) *
             static_cast<double>(block[size(q * block_lanes + lane)]);
      if (std::fabs(x) < 1e-5 || std::fabs(x + static_cast<double>(bias[size(i)])) < 1e-5) return true;
    }
    return false;
  }
};

/// A sum and how far rounding can move it, in units of the precision.
struct Sum {
  double value = 0, units = 0;
  void add(double term, double term_units) {
    value += term;
    units += term_units;
  }
};

/// What the kernels should find for one Case: of the last step's out and zeta adjoints (zero before), and of all steps'
/// weight adjoints.
///
/// Rounding: the potential x of Q products is off by (Q + 2) units of sum |m zeta| + |bias|; every phi and its slope
/// change by at most 2 times that. The activation itself is off by `own` units of max(1, |phi|) (see activation_test);
/// a sum of c terms by c units of each.
struct Oracle {
  template <class T>
  explicit Oracle(const Case<T>& c)
      : out(c.size(c.weights.rank * block_lanes)),
        zeta(c.size(c.weights.states * block_lanes)),
        m(c.m.size()),
        n(c.n.size()),
        bias(c.bias.size()) {
    for (std::size_t t = 0; t < c.records.size(); ++t)
      for (std::int64_t lane = 0; lane < c.lanes; ++lane)
        for (std::int64_t i = 0; i < c.weights.neurons; ++i) add(c, t, lane, i, t + 1 == c.records.size());
  }

  std::vector<Sum> out, zeta, m, n, bias;

 private:
  template <class T>
  void add(const Case<T>& c, std::size_t t, std::int64_t lane, std::int64_t i, bool last) {
    const std::int64_t states = c.weights.states, rank = c.weights.rank;
    const auto at = [&](const Numbers<T>& rows, std::int64_t k) {
      return static_cast<double>(rows[c.size(k * block_lanes + lane)]);
    };
    const auto m_of = [&](std::int64_t q) { return static_cast<double>(c.m[c.size(i * states + q)]); };
    const auto n_of = [&](std::int64_t r) { return static_cast<double>(c.n[c.size(i * rank + r)]); };
    const double d = static_cast<double>(c.bias[c.size(i)]);
    double x = 0, size = std::fabs(d), g = 0, g_size = 0;
    for (std::int64_t q = 0; q < states; ++q) {
      x += m_of(q) * at(c.zeta[t], q);
      size += std::fabs(m_of(q) * at(c.zeta[t], q));
    }
    for (std::int64_t r = 0; r < rank; ++r) {
      g += n_of(r) * at(c.out_adjoint[t], r);
      g_size += std::fabs(n_of(r) * at(c.out_adjoint[t], r));
    }
    const Rate phi = rate_of(c.weights.activation, x, d);
    const double own = c.weights.activation == Activation::erf ? 64 : 8;
    const double moved = 2 * static_cast<double>(states + 2) * size;
    const double neurons = static_cast<double>(c.weights.neurons);
    const double terms = static_cast<double>(c.lanes) * static_cast<double>(c.records.size());
    const double rate_units = own * std::max(1.0, std::fabs(phi.value)) + moved;
    const double slope_units = own + static_cast<double>(rank + 2) + moved;
    for (std::int64_t r = 0; r < rank; ++r) {
      const double a = at(c.out_adjoint[t], r);
      if (last)
        out[c.size(r * block_lanes + lane)].add(n_of(r) * phi.value,
                                                std::fabs(n_of(r)) * (rate_units + neurons * std::fabs(phi.value)));
      n[c.size(i * rank + r)].add(a * phi.value, std::fabs(a) * (rate_units + terms * std::fabs(phi.value)));
    }
    for (std::int64_t q = 0; q < states; ++q) {
      const double z = at(c.zeta[t], q);
      if (last)
        zeta[c.size(q * block_lanes + lane)].add(m_of(q) * g * phi.by_x,
                                                 std::fabs(m_of(q)) * g_size * (slope_units + neurons));
      m[c.size(i * states + q)].add(z * g * phi.by_x, std::fabs(z) * g_size * (slope_units + terms));
    }
    bias[c.size(i)].add(g * phi.by_bias, g_size * (slope_units + terms));
  }
};

/// Each found[k] equals expected[k] within the rounding of precision T; the lanes beyond `lanes` of a row of
/// block_lanes are left out (pass block_lanes for arrays that are not rows).
template <class T>
void expect_near(const Numbers<T>& found, const std::vector<Sum>& expected, std::int64_t lanes,
                 const std::string& what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (static_cast<std::int64_t>(k) % block_lanes >= lanes) continue;
    const double tolerance = expected[k].units * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
    ASSERT_NEAR(static_cast<double>(found[k]), expected[k].value, tolerance) << what << " at " << k;
  }
}

/// The adjoints of a case's weights, starting at zero.
template <class T>
struct WeightSums {
  explicit WeightSums(const Case<T>& c) : m(c.m.size()), n(c.n.size()), bias(c.bias.size()) {}
  StepWeightAdjoints<T> views() { return {m, n, bias}; }
  bool operator==(const WeightSums&) const = default;
  Numbers<T> m, n, bias;
};

template <class T>
Numbers<T> step_of(const Case<T>& c) {
  Numbers<T> out(c.size(c.weights.rank * block_lanes));
  low_rank_step(PreparedStep<T>(c.weights), c.zeta.back().data(), c.lanes, out.data());
  return out;
}

template <class T>
Numbers<T> state_adjoint_of(const Case<T>& c) {
  Numbers<T> adjoint(c.size(c.weights.states * block_lanes));
  low_rank_step_adjoint(PreparedStep<T>(c.weights), c.zeta.back().data(), c.out_adjoint.back().data(), c.lanes,
                        adjoint.data());
  return adjoint;
}

template <class T>
WeightSums<T> weight_adjoints_of(const Case<T>& c) {
  WeightSums<T> sums(c);
  low_rank_weight_adjoints<T>(PreparedStep<T>(c.weights), c.records, sums.views());
  return sums;
}

}  // namespace rankflow::smc::testing
