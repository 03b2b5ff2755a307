#pragma once
#include <string>

#include "analysis/evaluation.hpp"
#include "io/hdf5_file.hpp"

namespace rankflow::analysis {

/// One line per statistic: name, mean over series, spread over series, unit, meaning.
std::string text_of(const Evaluation& evaluation);

/// Writes /evaluation (docs/file-formats.md): every statistic [series], every profile as <name>_data and
/// <name>_generated. Collective.
void write_evaluation(io::File& file, const Evaluation& evaluation);

}  // namespace rankflow::analysis
