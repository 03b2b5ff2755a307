#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/hdf5_file.hpp"

namespace rankflow::drivers {

/// What the values of one dataset are like.
struct Statistics {
  double minimum = std::numeric_limits<double>::infinity();
  double maximum = -std::numeric_limits<double>::infinity();
  double mean = 0;
  std::uint64_t finite = 0;
  std::uint64_t absent = 0;  ///< NaN where nothing was written or observed, as it should be
  std::uint64_t nan = 0;     ///< NaN anywhere else
  std::uint64_t infinite = 0;
  io::Shape first_bad;       ///< index of the first NaN or infinity that should not be
  std::uint64_t stride = 1;  ///< every stride-th block was looked at

  bool sound() const noexcept { return nan == 0 && infinite == 0; }
  /// "min -1, mean 0, max 1; 5 not written", and what is wrong.
  std::string text() const;
};

/// Knows which entries of a run or recording are NaN for a good reason: rows not yet written, times after the end of a
/// trial that [stop] ended, times that were not observed.
class Absence {
 public:
  explicit Absence(const io::File& file);

  /// Rows written of each trial; empty when the file has no trajectory, or it is too long to be read whole.
  const std::vector<std::uint64_t>& rows_written() const noexcept { return rows_written_; }
  /// Trials that [stop] ended.
  std::uint64_t trials_stopped() const noexcept { return trials_stopped_; }
  bool complete() const noexcept { return complete_; }
  /// Whether a NaN at this position (in C order) of the dataset says only that there is no value.
  bool expected(const io::DatasetInfo& info, std::uint64_t position) const;

 private:
  void count_rows(const io::File& file, const std::string& path);
  void read_stop_times(const io::File& file);

  bool complete_ = true;
  std::vector<std::uint64_t> rows_written_;
  std::vector<bool> ended_early_;
  std::vector<std::uint8_t> mask_;  ///< [trial, time]
  std::uint64_t trials_stopped_ = 0;
};

Statistics statistics_of(const io::File& file, const io::DatasetInfo& info, const Absence& absence);

/// The dataset with the latents over time, or else the observations; empty when there is neither.
std::string trajectory_path(const io::File& file);

}  // namespace rankflow::drivers
