#pragma once
#include <filesystem>
#include <optional>

#include "sweep/measured_ranks.hpp"

namespace rankflow::sweep {

/// Makes a folder below the sweep's directory that belongs to one measurement of this process alone, and returns it.
/// Throws InputOutputError.
std::filesystem::path make_measurement_folder(const std::filesystem::path& sweep);
/// With everything in it, and what contains it when nobody else works there.
void remove_measurement_folder(const std::filesystem::path& folder);

/// Before groups of so many ranks are tried: the record that holds should this never end. Stays when the process dies.
void mark_trial(const std::filesystem::path& folder, const MeasuredRanks& should_it_fail);
/// False when somebody removed the folder since.
bool is_trial_marked(const std::filesystem::path& folder, int ranks);

/// What other measurements left that died: the record that holds after two of them died on groups of the same size. One
/// whose process cannot be asked from here counts as dead when it began its last size more than `patience` (s) ago.
std::optional<MeasuredRanks> record_after_two_deaths(const std::filesystem::path& mine, double patience);
/// Removes what such measurements left.
void remove_dead_measurements(const std::filesystem::path& mine, double patience);

}  // namespace rankflow::sweep
