#pragma once
#include "config/simulate_options.hpp"
#include "io/run_file.hpp"
#include "model/observation.hpp"
#include "simulate/recorder.hpp"

namespace rankflow::simulate {

/// Where a synthetic recording keeps what was observed (/recording) and how it came to be (/truth).
RecordPaths recording_paths();

/// Adds what a recording has beyond a run: mask, bin width, the observation model. Throws ConfigurationError without
/// an [observation] table. `observation` may be null then.
void describe_recording(io::RunLayout& layout, const config::SimulateOptions& options,
                        const model::Observation* observation);
/// Writes the mask (all observed) and the parameters of the observation model. Collective.
void write_recording_truth(io::RunFile& file, const model::Observation* observation);

}  // namespace rankflow::simulate
