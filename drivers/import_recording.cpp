#include <algorithm>

#include "arguments.hpp"
#include "config/import_options.hpp"
#include "config/load.hpp"
#include "io/recording_file.hpp"
#include "model/recording_arrays.hpp"

namespace rankflow::drivers {
namespace {

std::string summary(const io::Recording& recording) {
  const auto observed = std::count(recording.mask.begin(), recording.mask.end(), 1);
  return fmt::format("{} trial(s) of {} times, {} channel(s) ({}), {} input(s), {:.1f} % observed", recording.trials,
                     recording.times, recording.channels, recording.observation_kind, recording.inputs,
                     100.0 * static_cast<double>(observed) / static_cast<double>(recording.mask.size()));
}

/// Every rank holds the recording whole; the file has the same arrays.
std::string plan(const io::Recording& recording, const parallel::Communicator& comm) {
  const auto numbers = static_cast<double>(recording.observations.size() + recording.input_values.size());
  const double bytes = 8 * numbers + static_cast<double>(recording.mask.size());
  return fmt::format("{}\nmemory per rank on {} rank{}: {}\noutput file: {}\n", summary(recording), comm.size(),
                     comm.size() == 1 ? "" : "s", bytes_text(bytes), bytes_text(bytes));
}

}  // namespace

ExitCode import_recording(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load<config::ImportRecordingOptions>(arguments.input, arguments.sets);
  return with_context("running the configuration " + arguments.input, [&] {
    const auto& options = loaded.options.recording;
    const auto recording = model::read_recording_arrays(
        options.arrays, {.table = "recording", .kind = options.kind, .bin_width = options.bin_width},
        surroundings.comm);
    if (arguments.dry_run) {
      surroundings.console.print(loaded.resolved + "\n" + plan(recording, surroundings.comm));
      return ExitCode::done;
    }
    io::create_recording_file(surroundings.comm, arguments.output_path(), {.configuration = loaded.resolved}, recording)
        .finish();
    surroundings.console.info("wrote {}: {}", arguments.output_path().string(), summary(recording));
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
