#pragma once
#include <string>

#include "analysis/identifiability.hpp"
#include "io/hdf5_file.hpp"

namespace rankflow::analysis {

/// Writes the groups /identifiability, /neurons, /coverage and /visited (docs/identifiability.md). Collective.
void write_identifiability(io::File& file, const IdentifiabilityProblem& problem, const IdentifiabilityReport& report);

/// The report in words for the console: what is required, what is a guess.
std::string identifiability_text(const IdentifiabilityReport& report);

}  // namespace rankflow::analysis
