#pragma once
#include <string>

#include "config/import_options.hpp"
#include "io/array_import.hpp"
#include "io/recording_file.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::model {

/// How the arrays of a recording are to be taken.
struct RecordingReading {
  std::string table;  ///< of the configuration, for messages: "recording"
  config::ObservationKind kind = config::ObservationKind::gaussian;
  double bin_width = 0;                     ///< s
  io::Values allowed = io::Values::finite;  ///< any: NaN stands for a sample that was not observed
};

/// Reads what the options name into one recording: axes brought in order, shapes and values checked against each
/// other. Collective; every rank holds the whole.
/// Throws InputDataError naming key, file and position: another number of axes, shapes that disagree, an observed
/// value that is not allowed (or no count, for poisson), inputs that are not finite, a mask of other values than 0 and
/// 1, n_steps out of range.
io::Recording read_recording_arrays(const config::RecordingArrays& arrays, const RecordingReading& reading,
                                    const parallel::Communicator& comm);

}  // namespace rankflow::model
