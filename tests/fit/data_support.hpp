#pragma once
#include <cmath>
#include <cstdint>

#include "fit/data_set.hpp"

namespace rankflow::fit {

/// Trials of the lengths given whose samples tell where they are: trial + time / 1000 + channel / 10; 2 channels, 1
/// input (ten times the observation of channel 0).
inline DataSet counting_data(const std::vector<std::int64_t>& lengths) {
  DataSet data;
  data.trials = static_cast<std::int64_t>(lengths.size());
  data.channels = 2;
  data.inputs = 1;
  data.bin_width = 0.01;
  data.lengths = lengths;
  for (const auto length : lengths) data.times = std::max(data.times, length);
  for (std::int64_t trial = 0; trial < data.trials; ++trial) {
    data.trial_numbers.push_back(trial);
    for (std::int64_t time = 0; time < data.times; ++time) {
      const double value = static_cast<double>(trial) + static_cast<double>(time) / 1000;
      const bool observed = time < lengths[static_cast<std::size_t>(trial)];
      data.observations.push_back(observed ? value : std::nan(""));
      data.observations.push_back(observed ? value + 0.1 : std::nan(""));
      data.input_values.push_back(10 * value);
    }
  }
  data.channel_numbers = {0, 1};
  return data;
}

}  // namespace rankflow::fit
