#pragma once
#include <string>
#include <vector>

#include "config/import_options.hpp"
#include "io/recording_file.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::drivers {

/// Reads what the options name into one recording: axes brought in order, shapes and values checked against each
/// other. Collective; every rank holds the whole.
/// Throws InputDataError naming key, file and position: another number of axes, shapes that disagree, an observed
/// value that is not finite (or no count, for poisson), inputs that are not finite, a mask of other values than 0 and
/// 1, n_steps out of range.
io::Recording read_recording_parts(const config::ImportedRecordingOptions& options, const parallel::Communicator& comm);

}  // namespace rankflow::drivers
