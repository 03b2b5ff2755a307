#include "analysis/fourier.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include <unsupported/Eigen/FFT>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using Complex = std::complex<double>;

/// Eigen's transform takes n · (largest prime factor) steps; beyond this one the chirp is faster.
constexpr std::int64_t largest_factor = 64;

std::int64_t greatest_prime_factor(std::int64_t n) {
  std::int64_t greatest = 1;
  for (std::int64_t p = 2; p * p <= n; ++p)
    for (; n % p == 0; n /= p) greatest = p;
  return n > 1 ? std::max(n, greatest) : greatest;
}

/// exp(−πi t²/n). The square is reduced first, because its cosine would lose digits.
Complex chirp(std::int64_t t, std::int64_t n) {
  const auto angle = static_cast<double>(t * t % (2 * n)) / static_cast<double>(n) * std::numbers::pi;
  return {std::cos(angle), -std::sin(angle)};
}

}  // namespace

/// Small factors: one transform. Others: as a convolution with a chirp, of a power of two of points (Bluestein 1970,
/// "A linear filtering approach to the computation of discrete Fourier transform").
struct Fourier::Plan {
  std::int64_t length = 0;
  std::int64_t padded = 0;  ///< 0: no chirp
  Eigen::FFT<double> fft;
  std::vector<Complex> chirps;  ///< [length]
  std::vector<Complex> filter;  ///< [padded], transform of the conjugate chirp
  std::vector<Complex> in, out;

  void prepare_chirp() {
    padded = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * length - 1)));
    const auto size = static_cast<std::size_t>(padded);
    in.assign(size, 0.0);
    out.resize(size);
    filter.resize(size);
    for (std::int64_t t = 0; t < length; ++t) {
      chirps.push_back(chirp(t, length));
      in[static_cast<std::size_t>(t)] = std::conj(chirps.back());
      in[static_cast<std::size_t>((padded - t) % padded)] = std::conj(chirps.back());
    }
    fft.fwd(filter.data(), in.data(), padded);
  }

  /// Transform of x into `out`, but for a factor of modulus 1 per bin.
  void chirp_transform(std::span<const double> x) {
    std::fill(in.begin(), in.end(), 0.0);
    for (std::size_t t = 0; t < x.size(); ++t) in[t] = x[t] * chirps[t];
    fft.fwd(out.data(), in.data(), padded);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] *= filter[k];
    fft.inv(in.data(), out.data(), padded);
    std::swap(in, out);
  }
};

Fourier::Fourier(std::int64_t length) : plan_(std::make_unique<Plan>()) {
  if (length < 1) throw InternalError("a Fourier transform of {} points", length);
  plan_->length = length;
  plan_->fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  if (greatest_prime_factor(length) > largest_factor) {
    plan_->prepare_chirp();
  } else {
    plan_->out.resize(static_cast<std::size_t>(length));
  }
}

Fourier::Fourier(Fourier&&) noexcept = default;
Fourier& Fourier::operator=(Fourier&&) noexcept = default;
Fourier::~Fourier() = default;

std::int64_t Fourier::bins() const noexcept {
  return plan_->length / 2 + 1;
}

void Fourier::power(std::span<const double> x, std::span<double> result) {
  if (plan_->length == 1) {  // Eigen's transform of a single point fails
    result[0] = x[0] * x[0];
    return;
  }
  if (plan_->padded > 0) {
    plan_->chirp_transform(x);
  } else {
    plan_->fft.fwd(plan_->out.data(), x.data(), plan_->length);
  }
  for (std::size_t k = 0; k < result.size(); ++k) result[k] = std::norm(plan_->out[k]);
}

}  // namespace rankflow::analysis
