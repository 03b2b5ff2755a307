#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/array_import.hpp"
#include "io/output_file.hpp"

namespace rankflow::io {

/// Observations of a system over trials, the same on every rank.
struct Recording {
  std::int64_t trials = 0;                    ///< B
  std::int64_t times = 0;                     ///< T
  std::int64_t channels = 0;                  ///< D
  std::int64_t inputs = 0;                    ///< I
  double bin_width_s = 0;                     ///< s
  std::string observation_kind = "gaussian";  ///< "gaussian" or "poisson"
  std::vector<double> observations;           ///< [B, T, D]
  std::vector<double> input_values;           ///< [B, T, I]
  std::vector<std::uint8_t> mask;             ///< [B, T], 1 where the trial was observed
};

/// Makes a recording file and writes /recording. The caller may add ground truth under /truth and then
/// calls finish(). Throws InternalError when the arrays' lengths do not fit. Collective.
OutputFile create_recording_file(const parallel::Communicator& comm, const std::filesystem::path& path,
                                 const Provenance& provenance, const Recording& recording);

/// Reads /recording of a file of ours or of anybody who follows docs/file-formats.md. Inputs and mask may
/// be missing (no inputs; all observed); with Values::any a NaN is a sample that was not observed. Throws
/// InputDataError when a dataset lacks a dimension, when shapes disagree, when an observed value or an input is not
/// finite, a count is no whole number, or the bin width is missing. Collective.
Recording read_recording(const parallel::Communicator& comm, const std::filesystem::path& path,
                         Values allowed = Values::finite);

}  // namespace rankflow::io
