#pragma once
#include <cstdint>
#include <memory>
#include <span>

namespace rankflow::analysis {

/// Power of real series of one length, any length: O(n log n) also for large prime factors.
class Fourier {
 public:
  /// Throws InternalError unless `length` >= 1.
  explicit Fourier(std::int64_t length);
  Fourier(Fourier&&) noexcept;
  Fourier& operator=(Fourier&&) noexcept;
  ~Fourier();

  /// length / 2 + 1
  std::int64_t bins() const noexcept;
  /// result[k] = |Σ_t x[t] exp(−2πi kt/length)|² for k < bins(). `x` [length].
  void power(std::span<const double> x, std::span<double> result);

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace rankflow::analysis
