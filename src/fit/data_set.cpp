#include "fit/data_set.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"
#include "fit/unsmoothing.hpp"
#include "io/recording_file.hpp"
#include "model/recording_arrays.hpp"

namespace rankflow::fit {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// What messages call the source of the data.
std::string name_of(const config::DataOptions& options) {
  return options.file.empty() ? options.arrays.observations.path : options.file;
}

io::Recording read(const config::DataOptions& options, config::ObservationKind kind,
                   const parallel::Communicator& comm) {
  if (!options.file.empty()) return io::read_recording(comm, options.file, io::Values::any);
  if (!options.arrays.observations.given)
    throw ConfigurationError(
        "no data are named: give data.file, a recording file, or data.observations with data.bin_width");
  return model::read_recording_arrays(
      options.arrays, {.table = "data", .kind = kind, .bin_width = options.bin_width, .allowed = io::Values::any},
      comm);
}

/// The numbers chosen: `wanted`, or all below `count` but those excluded.
std::vector<std::int64_t> chosen(const std::vector<std::int64_t>& wanted, const std::vector<std::int64_t>& excluded,
                                 std::int64_t count, const std::string& what, const std::string& source) {
  const auto require = [&](const std::vector<std::int64_t>& list, const std::string& key) {
    if (!list.empty() && list.back() >= count)
      throw ConfigurationError("{}: {} {} does not exist; '{}' has {}, counted from 0", key, what, list.back(), source,
                               count);
  };
  require(wanted, "data." + what + "s");
  require(excluded, "data.exclude_" + what + "s");
  if (!wanted.empty()) return wanted;
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  std::erase_if(all, [&](std::int64_t i) { return std::binary_search(excluded.begin(), excluded.end(), i); });
  if (all.empty()) throw ConfigurationError("data.exclude_{}s leaves no {} of '{}'", what, what, source);
  return all;
}

/// Copies the chosen part; unobserved times become NaN.
void take(const io::Recording& recording, DataSet& data) {
  data.observations.reserve(static_cast<std::size_t>(data.trials * data.times * data.channels));
  data.input_values.reserve(static_cast<std::size_t>(data.trials * data.times * data.inputs));
  for (const auto trial : data.trial_numbers) {
    for (std::int64_t time = 0; time < data.times; ++time) {
      const auto cell = trial * recording.times + time;
      const bool observed = recording.mask[static_cast<std::size_t>(cell)] != 0;
      const double* row = recording.observations.data() + cell * recording.channels;
      for (const auto channel : data.channel_numbers) data.observations.push_back(observed ? row[channel] : missing);
      const double* inputs = recording.input_values.data() + cell * recording.inputs;
      data.input_values.insert(data.input_values.end(), inputs, inputs + recording.inputs);
    }
  }
}

bool is_observed(const DataSet& data, std::int64_t trial, std::int64_t time) {
  const double* row = data.sample(trial, time);
  return std::any_of(row, row + data.channels, [](double x) { return !std::isnan(x); });
}

void measure_lengths(DataSet& data, const std::string& source) {
  for (std::int64_t trial = 0; trial < data.trials; ++trial) {
    std::int64_t length = data.times;
    while (length > 0 && !is_observed(data, trial, length - 1)) --length;
    if (length == 0)
      throw InputDataError("'{}': trial {} has no observed sample; leave it out by data.trials", source,
                           data.trial_numbers[static_cast<std::size_t>(trial)]);
    data.lengths.push_back(length);
  }
}

/// Drops the times after the longest trial.
void cut(DataSet& data) {
  const auto times = *std::max_element(data.lengths.begin(), data.lengths.end());
  const auto shorten = [&](std::vector<double>& values, std::int64_t width) {
    std::vector<double> kept;
    kept.reserve(static_cast<std::size_t>(data.trials * times * width));
    for (std::int64_t trial = 0; trial < data.trials; ++trial) {
      const auto* first = values.data() + trial * data.times * width;
      kept.insert(kept.end(), first, first + times * width);
    }
    values = std::move(kept);
  };
  if (times == data.times) return;
  shorten(data.observations, data.channels);
  shorten(data.input_values, data.inputs);
  data.times = times;
}

using Rows = Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// Undoes the smoothing of each trial.
void unsmooth(config::SmoothingWindow window, const std::string& source, DataSet& data) {
  if (window == config::SmoothingWindow::none) return;
  const auto kernel = analysis::hann_window(15);
  for (std::int64_t trial = 0; trial < data.trials; ++trial) {
    const auto number = data.trial_numbers[static_cast<std::size_t>(trial)];
    Rows rows(data.observations.data() + trial * data.times * data.channels,
              data.lengths[static_cast<std::size_t>(trial)], data.channels);
    if (rows.hasNaN())
      throw InputDataError("'{}': trial {} lacks samples, so that data.unsmooth cannot undo its smoothing", source,
                           number);
    rows = with_context(fmt::format("undoing the smoothing of trial {} of '{}'", number, source),
                        [&] { return unsmoothed(rows, kernel); });
  }
}

void require_counts(const DataSet& data, const std::string& source) {
  for (std::int64_t trial = 0; trial < data.trials; ++trial)
    for (std::int64_t time = 0; time < data.times; ++time)
      for (std::int64_t channel = 0; channel < data.channels; ++channel) {
        const double value = data.sample(trial, time)[channel];
        if (std::isnan(value) || (value >= 0 && value == std::floor(value))) continue;
        throw InputDataError(
            "'{}' holds {} at trial {}, time {}, channel {}; observation.kind = \"poisson\" needs counts 0, 1, 2, …: "
            "use \"gaussian\" for real values",
            source, value, data.trial_numbers[static_cast<std::size_t>(trial)], time,
            data.channel_numbers[static_cast<std::size_t>(channel)]);
      }
}

struct Moments {
  double mean = 0, std = 0;
  std::int64_t count = 0;
};

Moments moments(const DataSet& data, std::int64_t channel) {
  Moments result;
  double sum = 0;
  const auto each = [&](auto action) {
    for (std::int64_t cell = 0; cell < data.trials * data.times; ++cell) {
      const double value = data.observations[static_cast<std::size_t>(cell * data.channels + channel)];
      if (!std::isnan(value)) action(value);
    }
  };
  each([&](double x) {
    sum += x;
    ++result.count;
  });
  result.mean = sum / static_cast<double>(std::max<std::int64_t>(result.count, 1));
  double squares = 0;
  each([&](double x) { squares += (x - result.mean) * (x - result.mean); });
  result.std = std::sqrt(squares / static_cast<double>(std::max<std::int64_t>(result.count, 1)));
  return result;
}

void standardise(const Standardisation& by, DataSet& data) {
  const auto width = static_cast<std::size_t>(data.channels);
  for (std::size_t i = 0; i < data.observations.size(); ++i)
    data.observations[i] = (data.observations[i] - by.mean[i % width]) / by.std[i % width];
  data.standardisation = by;
}

}  // namespace

Standardisation measure_channels(const DataSet& data) {
  Standardisation found;
  for (std::int64_t channel = 0; channel < data.channels; ++channel) {
    const auto m = moments(data, channel);
    found.mean.push_back(m.mean);
    found.std.push_back(m.std > 0 ? m.std : 1.0);
  }
  return found;
}

DataSet load_data(const config::DataOptions& options, config::ObservationKind kind, const parallel::Communicator& comm,
                  const Standardisation* known) {
  const auto source = name_of(options);
  const auto recording = read(options, kind, comm);
  DataSet data;
  data.times = recording.times;
  data.inputs = recording.inputs;
  data.bin_width = recording.bin_width_s;
  data.trial_numbers = chosen(options.trials, {}, recording.trials, "trial", source);
  data.channel_numbers = chosen(options.channels, options.exclude_channels, recording.channels, "channel", source);
  data.trials = static_cast<std::int64_t>(data.trial_numbers.size());
  data.channels = static_cast<std::int64_t>(data.channel_numbers.size());
  take(recording, data);
  measure_lengths(data, source);
  cut(data);
  if (kind == config::ObservationKind::poisson) {
    if (options.standardise)
      throw ConfigurationError("data.standardise is for real values, but observation.kind = \"poisson\" needs counts");
    if (options.unsmooth != config::SmoothingWindow::none)
      throw ConfigurationError("data.unsmooth is for real values, but observation.kind = \"poisson\" needs counts");
    require_counts(data, source);
  }
  unsmooth(options.unsmooth, source, data);
  if (options.standardise) standardise(known != nullptr ? *known : measure_channels(data), data);
  return data;
}

void require_informative_channels(const DataSet& data) {
  for (std::int64_t channel = 0; channel < data.channels; ++channel) {
    const auto m = moments(data, channel);
    const auto number = data.channel_numbers[static_cast<std::size_t>(channel)];
    if (m.count == 0)
      throw InputDataError("channel {} was never observed; leave it out by data.exclude_channels = [{}]", number,
                           number);
    // After standardisation a flat channel is 0 throughout.
    if (m.std == 0)
      throw InputDataError(
          "channel {} is {} in all of its {} observed samples, nothing can be learned from it; leave it out by "
          "data.exclude_channels = [{}]",
          number, m.mean, m.count, number);
  }
}

}  // namespace rankflow::fit
