#include "model/procedural_bulk.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace rankflow::model {
namespace {

/// Partial sums of a row. A fixed number, so that the order of additions never depends on the machine.
constexpr std::size_t lanes = BulkEntries::padding;

using Lanes = std::array<double, lanes>;

/// Adds weight times rate of the first `count` entries and of the padding.
void add_batch(const BulkEntries::Batch& batch, std::size_t count, const double* rates, Lanes& sums) {
  for (std::size_t k = 0; k < count; k += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane)
      sums[lane] = std::fma(batch.weights[k + lane], rates[batch.columns[k + lane]], sums[lane]);
}

}  // namespace

ProceduralBulk::ProceduralBulk(const config::BulkOptions& options, const parallel::Partition& partition,
                               const parallel::Communicator& comm, std::uint64_t seed)
    : entries_(options, partition.global_count(), seed),
      partition_(partition),
      comm_(&comm),
      counts_(comm.all_gather(partition.count())),
      work_(std::make_unique<Workspace>()) {
  work_->mine.resize(static_cast<std::size_t>(partition.count()));
  work_->all.resize(static_cast<std::size_t>(partition.global_count()));
  if (!entries_.has_signs()) return;
  signs_.resize(work_->mine.size());
  entries_.signs(partition.begin(), signs_);
}

void ProceduralBulk::gather(const NeuronArray<double>& rates) const {
  for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile) {
    const double* from = rates.tile(tile, 0);
    std::copy(from, from + partition_.tile_count(tile), work_->mine.begin() + tile * parallel::tile_size);
  }
  for (std::size_t i = 0; i < signs_.size(); ++i) work_->mine[i] *= signs_[i];
  comm_->all_gather(std::span<const double>(work_->mine), work_->all, counts_);
}

double ProceduralBulk::row_sum(std::int64_t row) const {
  Lanes sums{};
  for (std::int64_t first = 0; first < entries_.row_entries(); first += std::ssize(work_->batch.weights)) {
    const auto count = entries_.draw(row, first, work_->batch);
    add_batch(work_->batch, count, work_->all.data(), sums);
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void ProceduralBulk::add_product(const NeuronArray<double>& rates, NeuronArray<double>& out) const {
  gather(rates);
  for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile) {
    double* result = out.tile(tile, 0);
    const auto count = partition_.tile_count(tile);
    for (std::int64_t i = 0; i < count; ++i) result[i] += row_sum(partition_.tile_begin(tile) + i);
  }
}

std::uint64_t ProceduralBulk::bytes() const {
  return (work_->mine.size() + work_->all.size() + signs_.size()) * sizeof(double) +
         counts_.size() * sizeof(std::int64_t) + sizeof(Workspace);
}

}  // namespace rankflow::model
