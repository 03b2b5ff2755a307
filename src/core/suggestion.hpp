#pragma once
#include <span>
#include <string>
#include <string_view>

namespace rankflow {

/// The candidate nearest to `word` by edit distance, or an empty string when none is near enough to
/// be a likely misspelling (distance at most one third of the word's length, at least 2).
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// " Did you mean 'x'?" or an empty string.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace rankflow
