#include "io/recording_file.hpp"

#include <array>
#include <cmath>

#include "io/file_kind.hpp"

namespace rankflow::io {
namespace {

Shape shape_of(std::initializer_list<std::int64_t> extents) {
  Shape shape;
  for (const auto extent : extents) shape.push_back(static_cast<std::uint64_t>(extent));
  return shape;
}

void require_lengths(const Recording& recording) {
  const auto cells = recording.trials * recording.times;
  const auto fits = [&](std::size_t length, std::int64_t width) {
    return static_cast<std::int64_t>(length) == cells * width;
  };
  if (!fits(recording.observations.size(), recording.channels) ||
      !fits(recording.input_values.size(), recording.inputs) || !fits(recording.mask.size(), 1))
    throw InternalError("recording of {} trials x {} times: arrays of {} observations, {} inputs, {} mask entries",
                        recording.trials, recording.times, recording.observations.size(), recording.input_values.size(),
                        recording.mask.size());
}

void create_time(File& file, const Recording& recording) {
  std::vector<double> time(static_cast<std::size_t>(recording.times));
  for (std::size_t t = 0; t < time.size(); ++t) time[t] = static_cast<double>(t) * recording.bin_width_s;
  file.create_coordinate("/recording/time", time, "s", "time");
}

/// The shape of a dataset, checked against `expected`, where a zero stands for any length.
Shape require_shape(const File& file, const std::string& path, const Shape& expected, const std::string& axes) {
  const auto info = file.info(path);
  bool fits = info.shape.size() == expected.size();
  if (!fits)
    throw InputDataError(
        "dataset '{}' in file '{}' has {} dimension(s) {}, expected {}: {}; a single trial is an axis of length 1",
        path, file.name(), info.shape.size(), text_of(info.shape), expected.size(), axes);
  for (std::size_t axis = 0; axis < expected.size(); ++axis)
    fits = fits && (expected[axis] == 0 || expected[axis] == info.shape[axis]);
  if (!fits)
    throw InputDataError("dataset '{}' in file '{}' has shape {}, expected {} {} as in /recording/observations", path,
                         file.name(), text_of(info.shape), axes, text_of(expected));
  return info.shape;
}

double bin_width(const File& file) {
  const auto value = file.attribute("/recording", "bin_width_s");
  const double width = !value                                   ? 0.0
                       : std::holds_alternative<double>(*value) ? std::get<double>(*value)
                       : std::holds_alternative<std::int64_t>(*value)
                           ? static_cast<double>(std::get<std::int64_t>(*value))
                           : 0.0;
  if (!(width > 0) || !std::isfinite(width))
    throw InputDataError(
        "file '{}': the attribute 'bin_width_s' of /recording is missing or not positive; set it to the time between "
        "samples in seconds",
        file.name());
  return width;
}

std::string observation_kind(const File& file) {
  const auto value = file.attribute("/recording", "observation_kind");
  if (!value) return "gaussian";
  const auto* kind = std::get_if<std::string>(&*value);
  if (kind == nullptr || (*kind != "gaussian" && *kind != "poisson"))
    throw InputDataError(
        "file '{}': the attribute 'observation_kind' of /recording is '{}', allowed: gaussian, poisson", file.name(),
        kind == nullptr ? "not text" : *kind);
  return *kind;
}

std::array<std::size_t, 3> place_of(std::size_t index, std::int64_t times, std::int64_t width) {
  const auto row = index / static_cast<std::size_t>(width);
  return {row / static_cast<std::size_t>(times), row % static_cast<std::size_t>(times),
          index % static_cast<std::size_t>(width)};
}

void require_observed_values(const File& file, const Recording& recording, Values allowed) {
  const auto width = static_cast<std::size_t>(recording.channels);
  for (std::size_t i = 0; i < recording.observations.size(); ++i) {
    const double value = recording.observations[i];
    if (recording.mask[i / width] == 0 || (allowed == Values::any && std::isnan(value))) continue;
    const bool count = value >= 0 && value == std::floor(value);
    if (std::isfinite(value) && (recording.observation_kind == "gaussian" || count)) continue;
    const auto [trial, time, channel] = place_of(i, recording.times, recording.channels);
    throw InputDataError(
        "dataset '/recording/observations' in file '{}' holds {} at trial {}, time {}, channel {}; expected {} "
        "(unobserved times belong in /recording/mask as 0)",
        file.name(), value, trial, time, channel,
        std::isfinite(value) ? "counts 0, 1, 2 … for 'poisson' observations" : "finite values");
  }
}

void require_finite_inputs(const File& file, const Recording& recording) {
  for (std::size_t i = 0; i < recording.input_values.size(); ++i) {
    if (std::isfinite(recording.input_values[i])) continue;
    const auto [trial, time, input] = place_of(i, recording.times, recording.inputs);
    throw InputDataError(
        "dataset '/recording/inputs' in file '{}' holds {} at trial {}, time {}, input {}; expected finite values",
        file.name(), recording.input_values[i], trial, time, input);
  }
}

void read_observations(const File& file, Recording& recording) {
  const auto shape = require_shape(file, "/recording/observations", {0, 0, 0}, "[trial, time, channel]");
  if (count_of(shape) == 0)
    throw InputDataError("dataset '/recording/observations' in file '{}' is empty: {}", file.name(), text_of(shape));
  recording.trials = static_cast<std::int64_t>(shape[0]);
  recording.times = static_cast<std::int64_t>(shape[1]);
  recording.channels = static_cast<std::int64_t>(shape[2]);
  recording.observations = file.read_all<double>("/recording/observations");
}

}  // namespace

OutputFile create_recording_file(const parallel::Communicator& comm, const std::filesystem::path& path,
                                 const Provenance& provenance, const Recording& recording) {
  require_lengths(recording);
  auto output = OutputFile::create(comm, path, FileType::recording, provenance);
  auto& file = output.file();
  file.create_group("/recording");
  file.set_attribute("/recording", "bin_width_s", recording.bin_width_s);
  file.set_attribute("/recording", "observation_kind", recording.observation_kind);
  create_time(file, recording);
  const auto write = [&](const std::string& name, const Shape& shape, const std::vector<std::string>& dimensions,
                         Type type, const std::string& text, const auto& values) {
    file.create_dataset(
        {.path = name, .shape = shape, .dimensions = dimensions, .type = type, .long_name = text, .fill = false});
    file.write_all(name, std::span(values));
  };
  write("/recording/observations", shape_of({recording.trials, recording.times, recording.channels}),
        {"trial", "time", "channel"}, Type::f64, "observations", recording.observations);
  if (recording.inputs > 0)
    write("/recording/inputs", shape_of({recording.trials, recording.times, recording.inputs}),
          {"trial", "time", "input"}, Type::f64, "inputs", recording.input_values);
  write("/recording/mask", shape_of({recording.trials, recording.times}), {"trial", "time"}, Type::u8,
        "1 where observed", recording.mask);
  return output;
}

Recording read_recording(const parallel::Communicator& comm, const std::filesystem::path& path, Values allowed) {
  const auto file = File::open(comm, path);
  if (file.attribute("/", "file_type")) require_file_type(file, FileType::recording);
  if (!file.has_group("/recording"))
    throw InputDataError(
        "'{0}' is {1} without the group /recording; needed is a recording file (rankflow import recording, rankflow "
        "generate recording), or observations [trial, time, channel] named with their place in the file ({0}:{2})",
        file.name(), kind_of_file(file), file.datasets().empty() ? "/x" : file.datasets().front());
  Recording recording;
  read_observations(file, recording);
  recording.bin_width_s = bin_width(file);
  recording.observation_kind = observation_kind(file);
  const auto trials = static_cast<std::uint64_t>(recording.trials);
  const auto times = static_cast<std::uint64_t>(recording.times);
  recording.mask.assign(trials * times, 1);
  if (file.has_dataset("/recording/mask")) {
    require_shape(file, "/recording/mask", {trials, times}, "[trial, time]");
    recording.mask = file.read_all<std::uint8_t>("/recording/mask");
  }
  if (file.has_dataset("/recording/inputs")) {
    const auto shape = require_shape(file, "/recording/inputs", {trials, times, 0}, "[trial, time, input]");
    recording.inputs = static_cast<std::int64_t>(shape[2]);
    recording.input_values = file.read_all<double>("/recording/inputs");
  }
  require_observed_values(file, recording, allowed);
  require_finite_inputs(file, recording);
  return recording;
}

}  // namespace rankflow::io
