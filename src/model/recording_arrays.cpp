#include "model/recording_arrays.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "core/error.hpp"
#include "model/small_array.hpp"

namespace rankflow::model {
namespace {

using Axes = std::vector<std::string>;

/// One array of the configuration, in the order of axes we want.
struct Part {
  std::string what;  ///< for messages
  io::DenseArray array;

  std::int64_t length(std::size_t axis) const { return static_cast<std::int64_t>(array.shape[axis]); }
};

io::DenseArray read_source(const config::ArraySource& source, const parallel::Communicator& comm) {
  if (source.path.empty()) return {{source.shape.begin(), source.shape.end()}, source.values};
  return io::read_array(comm, {source.path, source.member}, {}, io::Values::any);
}

/// Brings the axes into the order `wanted`; one that the array lacks gets length 1.
io::DenseArray ordered(const io::DenseArray& array, const Axes& found, const Axes& wanted) {
  io::DenseArray result;
  std::vector<std::uint64_t> strides;
  for (const auto& name : wanted) {
    const auto axis = static_cast<std::size_t>(std::find(found.begin(), found.end(), name) - found.begin());
    result.shape.push_back(axis < found.size() ? array.shape[axis] : 1);
    std::uint64_t stride = axis < found.size() ? 1 : 0;
    for (std::size_t behind = axis + 1; behind < found.size(); ++behind) stride *= array.shape[behind];
    strides.push_back(stride);
  }
  result.data.reserve(array.data.size());
  io::Shape index(wanted.size(), 0);
  for (std::size_t i = 0; i < array.data.size(); ++i) {
    std::uint64_t position = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) position += index[axis] * strides[axis];
    result.data.push_back(array.data[position]);
    for (std::size_t axis = index.size(); axis-- > 0 && ++index[axis] == result.shape[axis];) index[axis] = 0;
  }
  return result;
}

/// Reads the array of `key`, whose axes in the file are named `axes`, or fewer for a single trial.
Part read_part(const config::ArraySource& source, const std::string& key, Axes axes, const Axes& wanted,
               const parallel::Communicator& comm) {
  return with_context("reading " + key, [&] {
    Part part{.what = describe_source(source, key), .array = read_source(source, comm)};
    if (part.array.shape.size() != axes.size())
      throw InputDataError(
          "{} has {} axes, shape {}; expected {}: {}. Name the axes that the array has in its key for axes", part.what,
          part.array.shape.size(), io::text_of(part.array.shape), axes.size(), fmt::join(axes, ", "));
    if (source.transpose) std::reverse(axes.begin(), axes.end());
    part.array = ordered(part.array, axes, wanted);
    for (auto& value : part.array.data) value *= source.scale;
    return part;
  });
}

void require_shape(const Part& part, const io::Recording& recording, const std::string& axes) {
  if (part.length(0) == recording.trials && (part.array.shape.size() < 2 || part.length(1) == recording.times)) return;
  throw InputDataError("{} has shape {} as {}, but the observations have {} trial(s) of {} times", part.what,
                       io::text_of(part.array.shape), axes, recording.trials, recording.times);
}

void take_observations(const Part& part, io::Recording& recording) {
  if (part.array.data.empty()) throw InputDataError("{} is empty: shape {}", part.what, io::text_of(part.array.shape));
  recording.trials = part.length(0);
  recording.times = part.length(1);
  recording.channels = part.length(2);
  recording.observations = part.array.data;
  recording.mask.assign(static_cast<std::size_t>(recording.trials * recording.times), 1);
}

void take_inputs(const Part& part, io::Recording& recording) {
  require_shape(part, recording, "trial, time, input");
  recording.inputs = part.length(2);
  recording.input_values = part.array.data;
  const auto width = static_cast<std::size_t>(recording.inputs);
  for (std::size_t i = 0; i < recording.input_values.size(); ++i)
    if (!std::isfinite(recording.input_values[i]))
      throw InputDataError("{} holds {} at trial {}, time {}, input {}; inputs must be finite at all times", part.what,
                           recording.input_values[i], i / width / static_cast<std::size_t>(recording.times),
                           i / width % static_cast<std::size_t>(recording.times), i % width);
}

void take_mask(const Part& part, io::Recording& recording) {
  require_shape(part, recording, "trial, time");
  for (std::size_t i = 0; i < part.array.data.size(); ++i) {
    const double value = part.array.data[i];
    if (value != 0 && value != 1)
      throw InputDataError("{} holds {} at trial {}, time {}; allowed: 1 (observed) and 0", part.what, value,
                           i / static_cast<std::size_t>(recording.times),
                           i % static_cast<std::size_t>(recording.times));
    recording.mask[i] = value == 1 ? 1 : 0;
  }
}

void take_n_steps(const Part& part, io::Recording& recording) {
  require_shape(part, recording, "trial");
  const auto times = static_cast<std::size_t>(recording.times);
  for (std::size_t trial = 0; trial < part.array.data.size(); ++trial) {
    const double steps = part.array.data[trial];
    if (!(steps >= 0 && steps <= static_cast<double>(times) && steps == std::floor(steps)))
      throw InputDataError("{} holds {} for trial {}; allowed: whole numbers from 0 to {}, the number of times",
                           part.what, steps, trial, times);
    const auto begin = recording.mask.begin() + static_cast<std::ptrdiff_t>(trial * times);
    std::fill(begin + static_cast<std::ptrdiff_t>(steps), begin + static_cast<std::ptrdiff_t>(times), std::uint8_t{0});
  }
}

void require_observed(const std::string& what, const io::Recording& recording, io::Values allowed) {
  const auto width = static_cast<std::size_t>(recording.channels);
  const bool counts = recording.observation_kind == "poisson";
  for (std::size_t i = 0; i < recording.observations.size(); ++i) {
    const double value = recording.observations[i];
    if (recording.mask[i / width] == 0 || (allowed == io::Values::any && std::isnan(value))) continue;
    if (std::isfinite(value) && (!counts || (value >= 0 && value == std::floor(value)))) continue;
    throw InputDataError("{} holds {} at trial {}, time {}, channel {}; {}", what, value,
                         i / width / static_cast<std::size_t>(recording.times),
                         i / width % static_cast<std::size_t>(recording.times), i % width,
                         std::isfinite(value)
                             ? "kind = \"poisson\" allows counts 0, 1, 2, …; use kind = \"gaussian\" for real values"
                             : "mark times that were not observed by mask or n_steps");
  }
}

}  // namespace

io::Recording read_recording_arrays(const config::RecordingArrays& arrays, const RecordingReading& reading,
                                    const parallel::Communicator& comm) {
  const auto key = [&](const char* name) { return reading.table + "." + name; };
  io::Recording recording;
  recording.bin_width_s = reading.bin_width;
  recording.observation_kind = reading.kind == config::ObservationKind::poisson ? "poisson" : "gaussian";
  const auto observations = read_part(arrays.observations, key("observations"), config::axis_names(arrays.axes),
                                      {"trial", "time", "channel"}, comm);
  take_observations(observations, recording);
  if (arrays.inputs.given)
    take_inputs(read_part(arrays.inputs, key("inputs"), config::axis_names(arrays.input_axes),
                          {"trial", "time", "input"}, comm),
                recording);
  const bool single = config::axis_names(arrays.axes).size() == 2;
  if (arrays.mask.given)
    take_mask(
        read_part(arrays.mask, key("mask"), single ? Axes{"time"} : Axes{"trial", "time"}, {"trial", "time"}, comm),
        recording);
  if (arrays.n_steps.given)
    take_n_steps(read_part(arrays.n_steps, key("n_steps"), {"trial"}, {"trial"}, comm), recording);
  require_observed(observations.what, recording, reading.allowed);
  return recording;
}

}  // namespace rankflow::model
