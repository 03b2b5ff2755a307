#include "smc/readout_density.hpp"

#include <array>
#include <type_traits>

#include <xsimd/xsimd.hpp>

#include "model/activation.hpp"
#include "model/fused_product.hpp"
#include "nn/link.hpp"
#include "smc/low_rank_step_response.hpp"

namespace rankflow::smc {

namespace {

using config::ObservationKind;
using nn::with_link;

template <class B>
using Number = typename B::value_type;

struct GaussianDensity {
  template <class B>
  static B log(const B& x, const B& mean, const B& precision) {
    const B e = x - mean;
    return B(Number<B>(-0.5)) * e * e * precision;
  }
  template <class B>
  static B slope(const B& x, const B& mean, const B& precision) {
    return (x - mean) * precision;
  }
};

struct PoissonDensity {};

/// log p(x | s) but for a constant.
template <class Density, class Link, class B>
B log_density_of(const B& x, const B& s, const B& precision) {
  if constexpr (std::is_same_v<Density, PoissonDensity>)
    return nn::poisson_log_mass<Link>(x, s);
  else
    return Density::log(x, Link::mean(s), precision);
}

/// d log p(x | s) / ds.
template <class Density, class Link, class B>
B slope_of(const B& x, const B& s, const B& mean, const B& precision) {
  if constexpr (std::is_same_v<Density, PoissonDensity>)
    return nn::poisson_log_mass_slope<Link>(x, s, mean);
  else
    return Density::slope(x, mean, precision) * Link::slope(s, mean);
}

template <class Action>
void with_density(ObservationKind kind, const Action& action) {
  if (kind == ObservationKind::poisson)
    action(PoissonDensity{});
  else
    action(GaussianDensity{});
}

template <class T>
std::int64_t whole_vectors(std::int64_t lanes) {
  constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);
  return (lanes + width - 1) / width * width;
}

template <class T>
void channel_argument(const Readout<T>& readout, std::int64_t channel, const T* zeta, std::int64_t end, T start,
                      LaneRow<T>& out) {
  using B = xsimd::batch<T>;
  const T* weights = readout.weights + channel * readout.states;
  for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size)) {
    B sum(start);
    for (std::int64_t q = 0; q < readout.states; ++q)
      sum = model::fused(B(weights[q]), B::load_aligned(zeta + q * L + p), sum);
    sum.store_aligned(out.data() + p);
  }
}

/// potential -> s = scale phi(potential, d) + bias.
template <class T>
void rates_argument(const Readout<T>& readout, std::int64_t channel, std::int64_t end, const LaneRow<T>& potential,
                    LaneRow<T>& out) {
  using B = xsimd::batch<T>;
  const B d(readout.neuron_bias[channel]);
  const B scale(readout.scale[channel]);
  const B bias(readout.bias[channel]);
  model::with_activation(readout.activation, [&](auto phi) {
    for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size))
      model::fused(scale, phi.rate(B::load_aligned(potential.data() + p), d), bias).store_aligned(out.data() + p);
  });
}

/// What s of a channel is made of, over the lanes.
template <class T>
struct ChannelRows {
  LaneRow<T> potential;  ///< rates only
  LaneRow<T> s;
};

template <class T>
void fill(const Readout<T>& readout, std::int64_t channel, const T* zeta, std::int64_t end, ChannelRows<T>& rows) {
  if (readout.rates) {
    channel_argument(readout, channel, zeta, end, T(0), rows.potential);
    rates_argument(readout, channel, end, rows.potential, rows.s);
  } else {
    channel_argument(readout, channel, zeta, end, readout.bias[channel], rows.s);
  }
}

template <class T>
T precision_of(const Readout<T>& readout, std::int64_t channel) {
  return readout.precision != nullptr ? readout.precision[channel] : T(1);
}

template <class T>
T sum(const LaneRow<T>& row, std::int64_t end) {
  using B = xsimd::batch<T>;
  B total(0);
  for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size)) total += B::load_aligned(row.data() + p);
  return xsimd::hadd(total);
}

template <class T>
T sum_of_products(const LaneRow<T>& row, const T* other, std::int64_t end) {
  using B = xsimd::batch<T>;
  B total(0);
  for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size))
    total = model::fused(B::load_aligned(row.data() + p), B::load_aligned(other + p), total);
  return xsimd::hadd(total);
}

/// Adjoints of s (slope) and of the precision over the lanes of one channel.
template <class T>
void density_slopes(const Readout<T>& readout, std::int64_t channel, const T* x, const T* density_adjoint,
                    std::int64_t end, const LaneRow<T>& s, LaneRow<T>& s_adjoint, LaneRow<T>& precision_adjoint) {
  using B = xsimd::batch<T>;
  const B precision(precision_of(readout, channel));
  with_density(readout.kind, [&](auto density) {
    with_link(readout.link, [&](auto link) {
      for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size)) {
        const B seen = B::load_aligned(x + channel * L + p);
        const auto missing = xsimd::isnan(seen);
        const B argument = B::load_aligned(s.data() + p);
        const B mean = link.mean(argument);
        const B weight = B::load_aligned(density_adjoint + p);
        const B slope = slope_of<decltype(density), decltype(link)>(seen, argument, mean, precision) * weight;
        // A particle without weight has no slope, however steep its density is.
        xsimd::select(missing || weight == B(0), B(0), slope).store_aligned(s_adjoint.data() + p);
        const B misfit = B(T(-0.5)) * (seen - mean) * (seen - mean) * weight;
        xsimd::select(missing || weight == B(0), B(0), misfit).store_aligned(precision_adjoint.data() + p);
      }
    });
  });
}

/// phi(x, d), and its adjoints.
template <class Phi, class T>
ResponseValues<xsimd::batch<T>, xsimd::batch<T>> response_of(const xsimd::batch<T>& x, T bias,
                                                             const xsimd::batch<T>& g) {
  using B = xsimd::batch<T>;
  if constexpr (std::is_same_v<Phi, model::activation::ClippedRelu>) {
    const B d(bias);
    const B first = xsimd::select(x + d > B(T(0)), g, B(T(0)));
    return {Phi::rate(x, d), xsimd::select(x > B(T(0)), first - g, first), first};
  } else {
    return Response<Phi, T>(&bias, 0).all(x, g);
  }
}

/// s adjoint -> potential adjoint, in place; adds those of scale, bias and neuron bias.
template <class T>
void rates_adjoint(const Readout<T>& readout, std::int64_t channel, std::int64_t end, const LaneRow<T>& potential,
                   LaneRow<T>& adjoint, const ReadoutAdjoint& sums) {
  using B = xsimd::batch<T>;
  const T bias = readout.neuron_bias[channel];
  const B scale(readout.scale[channel]);
  B scale_sum(0);
  B bias_sum(0);
  model::with_activation(readout.activation, [&](auto phi) {
    for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size)) {
      const B g = B::load_aligned(adjoint.data() + p);
      const auto response = response_of<decltype(phi)>(B::load_aligned(potential.data() + p), bias, scale * g);
      scale_sum = model::fused(g, response.rate, scale_sum);
      bias_sum += response.bias;
      response.input.store_aligned(adjoint.data() + p);
    }
  });
  sums.scale[channel] += static_cast<double>(xsimd::hadd(scale_sum));
  sums.neuron_bias[channel] += static_cast<double>(xsimd::hadd(bias_sum));
}

template <class T>
void add_argument_adjoint(const Readout<T>& readout, std::int64_t channel, const T* zeta, const LaneRow<T>& adjoint,
                          std::int64_t end, T* zeta_adjoint, const ReadoutAdjoint& sums) {
  using B = xsimd::batch<T>;
  for (std::int64_t q = 0; q < readout.states; ++q) {
    const std::int64_t at = channel * readout.states + q;
    const B weight(readout.weights[at]);
    for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size)) {
      T* place = zeta_adjoint + q * L + p;
      model::fused(weight, B::load_aligned(adjoint.data() + p), B::load_aligned(place)).store_aligned(place);
    }
    sums.weights[at] += static_cast<double>(sum_of_products(adjoint, zeta + q * L, end));
  }
}

}  // namespace

template <class T>
void add_readout_density(const Readout<T>& readout, const T* zeta, const T* x, std::int64_t lanes,
                         double* log_density) {
  using B = xsimd::batch<T>;
  const std::int64_t end = whole_vectors<T>(lanes);
  LaneRow<T> total{};
  ChannelRows<T> rows;
  with_density(readout.kind, [&](auto density) {
    with_link(readout.link, [&](auto link) {
      for (std::int64_t channel = 0; channel < readout.channels; ++channel) {
        fill(readout, channel, zeta, end, rows);
        const B precision(precision_of(readout, channel));
        for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size)) {
          const B seen = B::load_aligned(x + channel * L + p);
          const B s = B::load_aligned(rows.s.data() + p);
          const B log = log_density_of<decltype(density), decltype(link)>(seen, s, precision);
          const B sum = B::load_aligned(total.data() + p) + xsimd::select(xsimd::isnan(seen), B(0), log);
          sum.store_aligned(total.data() + p);
        }
      }
    });
  });
  for (std::int64_t p = 0; p < lanes; ++p) log_density[p] += static_cast<double>(total[static_cast<std::size_t>(p)]);
}

template <class T>
void readout_mean(const Readout<T>& readout, const T* zeta, std::int64_t lanes, T* mean) {
  using B = xsimd::batch<T>;
  const std::int64_t end = whole_vectors<T>(lanes);
  ChannelRows<T> rows;
  with_link(readout.link, [&](auto link) {
    for (std::int64_t channel = 0; channel < readout.channels; ++channel) {
      fill(readout, channel, zeta, end, rows);
      for (std::int64_t p = 0; p < end; p += static_cast<std::int64_t>(B::size))
        link.mean(B::load_aligned(rows.s.data() + p)).store_aligned(mean + channel * L + p);
    }
  });
}

template <class T>
void readout_density_adjoint(const Readout<T>& readout, const T* zeta, const T* x, const T* density_adjoint,
                             std::int64_t lanes, T* zeta_adjoint, const ReadoutAdjoint& sums) {
  const std::int64_t end = whole_vectors<T>(lanes);
  ChannelRows<T> rows;
  LaneRow<T> adjoint, misfit;
  for (std::int64_t channel = 0; channel < readout.channels; ++channel) {
    fill(readout, channel, zeta, end, rows);
    density_slopes(readout, channel, x, density_adjoint, end, rows.s, adjoint, misfit);
    if (readout.kind == ObservationKind::gaussian) sums.precision[channel] += static_cast<double>(sum(misfit, end));
    sums.bias[channel] += static_cast<double>(sum(adjoint, end));
    if (readout.rates) rates_adjoint(readout, channel, end, rows.potential, adjoint, sums);
    add_argument_adjoint(readout, channel, zeta, adjoint, end, zeta_adjoint, sums);
  }
}

template void add_readout_density(const Readout<float>&, const float*, const float*, std::int64_t, double*);
template void add_readout_density(const Readout<double>&, const double*, const double*, std::int64_t, double*);
template void readout_mean(const Readout<float>&, const float*, std::int64_t, float*);
template void readout_mean(const Readout<double>&, const double*, std::int64_t, double*);
template void readout_density_adjoint(const Readout<float>&, const float*, const float*, const float*, std::int64_t,
                                      float*, const ReadoutAdjoint&);
template void readout_density_adjoint(const Readout<double>&, const double*, const double*, const double*, std::int64_t,
                                      double*, const ReadoutAdjoint&);

}  // namespace rankflow::smc
