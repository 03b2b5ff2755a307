#include "model/bulk_entries.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "parallel/draws.hpp"

namespace rankflow::model {
namespace {

double scale_of(const config::BulkOptions& options, std::int64_t entries) {
  const double f = options.excitatory_fraction;
  const double balance = options.dale ? (1.0 - f) / f : 1.0;
  return options.gain * std::sqrt(balance / static_cast<double>(entries));
}

/// Entries are the items of a draw, so that batches are contiguous; the row is its step, and its trial from 2^32 on.
parallel::Draw draw_of(std::int64_t row) {
  const auto number = static_cast<std::uint64_t>(row);
  return {.trial = static_cast<std::uint32_t>(number >> 32), .step = static_cast<std::uint32_t>(number)};
}

}  // namespace

BulkEntries::BulkEntries(const config::BulkOptions& options, std::int64_t neurons, std::uint64_t seed)
    : neurons_(neurons),
      in_degree_(options.in_degree),
      all_to_all_(options.in_degree == 0),
      dale_(options.dale),
      excitatory_fraction_(options.excitatory_fraction),
      scale_(scale_of(options, all_to_all_ ? neurons : in_degree_)),
      columns_(seed, parallel::Purpose::bulk_columns),
      weights_(seed, parallel::Purpose::bulk_weights),
      signs_(seed, parallel::Purpose::bulk_signs) {}

std::size_t BulkEntries::draw(std::int64_t row, std::int64_t first, Batch& batch) const {
  const auto item = static_cast<std::uint64_t>(first);
  const auto count =
      static_cast<std::size_t>(std::min<std::int64_t>(row_entries() - first, static_cast<std::int64_t>(batch_size)));
  const auto columns = std::span(batch.columns).first(count);
  const auto weights = std::span(batch.weights).first(count);
  if (all_to_all_) {
    std::iota(columns.begin(), columns.end(), item);
  } else {
    parallel::below(columns_, draw_of(row), item, static_cast<std::uint64_t>(neurons_), columns);
  }
  parallel::normal<double>(weights_, draw_of(row), item, weights);
  if (dale_) {
    for (double& weight : weights) weight = scale_ * std::abs(weight);
  } else {
    for (double& weight : weights) weight *= scale_;
  }
  const std::size_t padded = (count + padding - 1) / padding * padding;
  std::fill(batch.columns.begin() + static_cast<std::ptrdiff_t>(count),
            batch.columns.begin() + static_cast<std::ptrdiff_t>(padded), std::uint64_t{0});
  std::fill(batch.weights.begin() + static_cast<std::ptrdiff_t>(count),
            batch.weights.begin() + static_cast<std::ptrdiff_t>(padded), 0.0);
  return count;
}

void BulkEntries::signs(std::int64_t first, std::span<double> out) const {
  if (!dale_) {
    std::fill(out.begin(), out.end(), 1.0);
    return;
  }
  parallel::uniform<double>(signs_, {}, static_cast<std::uint64_t>(first), out);
  const double inhibition = -excitatory_fraction_ / (1.0 - excitatory_fraction_);
  for (double& value : out) value = value < excitatory_fraction_ ? 1.0 : inhibition;
}

}  // namespace rankflow::model
