#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sinkhorn.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// One half-step of Sinkhorn's algorithm in the log domain, for rows x and columns y:
///   f_i = −ε log Σ_j exp((g_j − |x_i − y_j|²/2) / ε) / columns.
/// This rank computes its run of the rows and gets the others' from their ranks. T: float or double.
template <class T>
class SoftMinimum {
 public:
  /// Both clouds are taken relative to `origin` [dimensions]. The communicator must outlive the object.
  SoftMinimum(const PointCloud& rows, const PointCloud& columns, std::span<const double> origin,
              const parallel::Communicator& comm);

  /// `potential`: g of the columns; `result`: f of the rows. Collective.
  void apply(double epsilon, std::span<const double> potential, std::span<double> result);

 private:
  double row(std::int64_t i, double inverse) noexcept;

  const parallel::Communicator& comm_;
  int dimensions_;
  std::int64_t padded_;               // columns in whole SIMD registers
  std::int64_t count_;                // of columns
  std::int64_t begin_ = 0, end_ = 0;  // this rank's rows
  std::vector<std::int64_t> shares_;  // rows of each rank
  std::vector<double> rows_;          // [own rows, dimensions]
  std::vector<double> row_norms_;     // |x_i|²/2
  std::vector<double> column_norms_;  // |y_j|²/2
  std::vector<T> columns_;            // [dimensions, padded]
  std::vector<T> heights_;            // (g_j − |y_j|²/2)/ε
  std::vector<T> exponents_;          // of one row
  std::vector<double> own_;
};

}  // namespace rankflow::analysis
