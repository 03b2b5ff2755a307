#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "config/data_options.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// What was done to every channel: (x - mean) / std.
struct Standardisation {
  std::vector<double> mean, std;  ///< [D]
};

/// Trials to fit or to filter, the same on every rank.
struct DataSet {
  std::int64_t trials = 0;                    ///< B
  std::int64_t times = 0;                     ///< T, of the longest trial
  std::int64_t channels = 0;                  ///< D
  std::int64_t inputs = 0;                    ///< I
  double bin_width = 0;                       ///< s
  std::vector<double> observations;           ///< [B, T, D], NaN where not observed
  std::vector<double> input_values;           ///< u [B, T, I]
  std::vector<std::int64_t> lengths;          ///< [B], up to the last sample that was observed
  std::vector<std::int64_t> trial_numbers;    ///< [B], in the recording
  std::vector<std::int64_t> channel_numbers;  ///< [D], in the recording
  std::optional<Standardisation> standardisation;

  const double* sample(std::int64_t trial, std::int64_t time) const {
    return observations.data() + (trial * times + time) * channels;
  }
  const double* input(std::int64_t trial, std::int64_t time) const {
    return input_values.data() + (trial * times + time) * inputs;
  }
};

/// Reads what the options name, chooses trials and channels, and standardises: with `known` if given, else by the data
/// themselves. Collective. Throws ConfigurationError when nothing is named or a number does not exist, InputDataError
/// for what reading refuses, for counts that are none (kind = poisson) and for trials without any observation.
DataSet load_data(const config::DataOptions& options, config::ObservationKind kind, const parallel::Communicator& comm,
                  const Standardisation* known = nullptr);

/// Mean and standard deviation of every channel over all samples observed; 1 for a deviation of 0.
Standardisation measure_channels(const DataSet& data);

/// Throws InputDataError naming the first channel from which nothing can be learned: never observed, or the same value
/// at all times (a unit without a spike, a flat electrode).
void require_informative_channels(const DataSet& data);

}  // namespace rankflow::fit
