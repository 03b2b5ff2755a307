#include "nn/parameters.hpp"

#include <functional>
#include <numeric>
#include <utility>

#include <fmt/ranges.h>

#include "core/error.hpp"

namespace rankflow::nn {

ParameterLayout::Id ParameterLayout::add(std::string name, std::vector<std::int64_t> shape, bool trainable) {
  for (const auto& entry : entries_)
    if (entry.name == name) throw InternalError("parameter \"{}\" is declared twice", name);
  if (std::ranges::any_of(shape, [](std::int64_t extent) { return extent < 0; }))
    throw InternalError("parameter \"{}\" has a negative extent: [{}]", name, fmt::join(shape, ", "));
  const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  entries_.push_back({std::move(name), std::move(shape), total_, count, trainable});
  total_ += count;
  return entries_.size() - 1;
}

ParameterLayout::Id ParameterLayout::find(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &Entry::name);
  if (found == entries_.end()) throw InternalError("there is no parameter \"{}\"", name);
  return static_cast<Id>(found - entries_.begin());
}

std::string ParameterLayout::describe(std::int64_t flat_index) const {
  for (const auto& entry : entries_) {
    std::int64_t within = flat_index - entry.offset;
    if (within < 0 || within >= entry.count) continue;
    if (entry.shape.empty()) return entry.name;
    std::vector<std::int64_t> indices(entry.shape.size());
    for (std::size_t k = entry.shape.size(); k-- > 0; within /= entry.shape[k]) indices[k] = within % entry.shape[k];
    return fmt::format("{}[{}]", entry.name, fmt::join(indices, ","));
  }
  throw InternalError("there is no parameter number {} of {}", flat_index, total_);
}

std::vector<ParameterRange> ParameterLayout::trainable_ranges() const {
  std::vector<ParameterRange> ranges;
  for (const auto& entry : entries_) {
    if (!entry.trainable || entry.count == 0) continue;
    if (!ranges.empty() && ranges.back().end == entry.offset)
      ranges.back().end += entry.count;
    else
      ranges.push_back({entry.offset, entry.offset + entry.count});
  }
  return ranges;
}

}  // namespace rankflow::nn
