#include "analysis/regions_lines.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <Eigen/QR>

namespace rankflow::analysis {
namespace {

using Batch = xsimd::batch<double>;
constexpr std::size_t lanes = Batch::size;

/// Normals whose independent part is shorter than this depend on each other.
constexpr double independence = 1e-10;
/// Hyperplanes at a smaller angle to a line do not cross it.
constexpr double crossing_angle = 1e-12;
/// Error of G_1 along a line, relative to steepness and distance: many times the unit roundoff.
constexpr double relative_rounding = 1e-13;

}  // namespace

Flat flat_of(const KinkTable& table, std::span<const std::int64_t> planes) {
  const auto n = table.dimension();
  const auto count = static_cast<Eigen::Index>(planes.size());
  if (count == 0) return {SmallVector::Zero(n), SmallMatrix::Identity(n, n)};
  SmallMatrix normals(n, count);
  SmallVector thresholds(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const auto plane = static_cast<std::size_t>(planes[static_cast<std::size_t>(i)]);
    normals.col(i) = table.normal(plane);
    thresholds[i] = table.threshold(plane);
  }
  const Eigen::HouseholderQR<SmallMatrix> qr(normals);
  Flat flat;
  flat.proper = qr.matrixQR().diagonal().cwiseAbs().minCoeff() > independence;
  if (!flat.proper) return flat;
  const SmallMatrix basis = qr.householderQ() * SmallMatrix::Identity(n, n);
  flat.tangent = basis.rightCols(n - count);
  const SmallMatrix triangle = qr.matrixQR().topRows(count);
  flat.foot = basis.leftCols(count) * triangle.triangularView<Eigen::Upper>().transpose().solve(thresholds);
  return flat;
}

LineScan::LineScan(const KinkTable& table)
    : table_(table),
      per_side_(std::clamp<std::size_t>(static_cast<std::size_t>(table.count()) / 4, 8, 4096)),
      heights_(table.padded()),
      slopes_(table.padded()),
      distances_(table.padded()),
      jumps_(table.padded()),
      places_(table.padded()),
      buckets_(2 * per_side_ + 1),
      rounding_(relative_rounding * table.steepness()) {
  for (std::size_t b = 0; b < per_side_; ++b)
    edges_.push_back(static_cast<double>(b) / static_cast<double>(per_side_ - b));
  edges_.push_back(std::numeric_limits<double>::infinity());
  sorted_.reserve(table.padded());
}

std::span<const double> LineScan::zeros(const SmallVector& foot, const SmallVector& direction) {
  zeros_.clear();
  table_.heights(foot, heights_.data());
  table_.slopes(direction, slopes_.data());
  reach_ = foot.lpNorm<Eigen::Infinity>() + table_.length();
  deal();
  const auto front = front_at_foot(foot, direction);
  if (std::abs(front.value) <= rounding(0)) zeros_.push_back(0.0);
  walk_side(0, front);
  walk_side(1, {0.0, front.value, -front.rise});
  return zeros_;
}

LineScan::Front LineScan::front_at_foot(const SmallVector& foot, const SmallVector& direction) const {
  double value = table_.linear().row(0).dot(foot) + table_.constant()[0];
  double slope = table_.linear().row(0).dot(direction);  // just before t = 0
  const double* weights = table_.weights(0).data();
  Batch values(0.0);
  Batch rises(0.0);
  for (std::size_t k = 0; k < table_.padded(); k += lanes) {
    const auto height = Batch::load_aligned(heights_.data() + k);
    const auto rise = Batch::load_aligned(slopes_.data() + k);
    const auto active = height > Batch(0.0) || (height == Batch(0.0) && rise < Batch(0.0));
    const auto weight = xsimd::select(active, Batch::load_aligned(weights + k), Batch(0.0));
    values = xsimd::fma(weight, height, values);
    rises = xsimd::fma(weight, rise, rises);
  }
  return {0.0, value + xsimd::hadd(values), slope + xsimd::hadd(rises)};
}

void LineScan::deal() {
  const Batch reach(reach_);
  const Batch most(static_cast<double>(per_side_ - 1));
  const Batch side(static_cast<double>(per_side_));
  const double* weights = table_.weights(0).data();
  for (std::size_t k = 0; k < table_.padded(); k += lanes) {
    const auto slope = Batch::load_aligned(slopes_.data() + k);
    const auto crosses = xsimd::abs(slope) > Batch(crossing_angle);
    const auto t = xsimd::select(crosses, -Batch::load_aligned(heights_.data() + k) / slope, Batch(0.0));
    const auto distance = xsimd::abs(t);
    auto place = xsimd::min(xsimd::floor(distance / (distance + reach) * side), most);
    place = xsimd::select(t < Batch(0.0), place + side, place);
    place = xsimd::select(crosses, place, side + side);
    distance.store_aligned(distances_.data() + k);
    (xsimd::abs(slope) * Batch::load_aligned(weights + k)).store_aligned(jumps_.data() + k);
    alignas(64) std::array<double, lanes> whole;
    place.store_aligned(whole.data());
    for (std::size_t l = 0; l < lanes; ++l) places_[k + l] = static_cast<std::int32_t>(whole[l]);
  }
  std::fill(buckets_.begin(), buckets_.end(), Bucket{});
  for (std::size_t k = 0; k < table_.padded(); ++k) {
    auto& bucket = buckets_[static_cast<std::size_t>(places_[k])];
    bucket.jump += jumps_[k];
    bucket.magnitude += std::abs(jumps_[k]);
    bucket.moment += jumps_[k] * distances_[k];
    bucket.count += 1;
  }
}

void LineScan::walk_side(std::size_t side, Front front) {
  const double sign = side == 0 ? 1.0 : -1.0;
  for (std::size_t b = 0; b < per_side_; ++b) {
    const std::size_t place = side * per_side_ + b;
    const auto& bucket = buckets_[place];
    const double end = edges_[b + 1] * reach_;
    if (b + 1 == per_side_) {
      walk_bucket(place, sign, front, end);
      return;
    }
    const double width = end - front.distance;
    const double value = front.value + front.rise * width + (end * bucket.jump - bucket.moment);
    // How far G_1 can get from the chord between its values at the ends.
    const double swing = bucket.magnitude * width / 4 + rounding(end);
    if (std::min(std::abs(front.value), std::abs(value)) <= swing || (front.value < 0) != (value < 0))
      walk_bucket(place, sign, front, end);
    front = {end, value, front.rise + bucket.jump};
  }
}

void LineScan::collect(std::int32_t bucket) {
  using Places = xsimd::batch<std::int32_t>;
  for (std::size_t begin = 0; begin < places_.size(); begin += Places::size) {
    if (!xsimd::any(Places::load_unaligned(places_.data() + begin) == Places(bucket))) continue;
    for (std::size_t k = begin; k < begin + Places::size; ++k)
      if (places_[k] == bucket) sorted_.push_back({distances_[k], jumps_[k]});
  }
}

void LineScan::walk_bucket(std::size_t bucket, double sign, Front front, double end) {
  sorted_.clear();
  if (buckets_[bucket].count > 0) collect(static_cast<std::int32_t>(bucket));
  std::sort(sorted_.begin(), sorted_.end(),
            [](const Crossing& a, const Crossing& b) { return a.distance < b.distance; });
  if (std::isfinite(end)) sorted_.push_back({end, 0.0});
  bool at_zero = std::abs(front.value) <= rounding(front.distance);
  for (const auto& crossing : sorted_) {
    const double next = front.value + front.rise * (crossing.distance - front.distance);
    const bool next_at_zero = std::abs(next) <= rounding(crossing.distance);
    if (next_at_zero)
      zeros_.push_back(sign * crossing.distance);
    else if (!at_zero && (front.value < 0) != (next < 0))
      zeros_.push_back(sign * (front.distance - front.value / front.rise));
    front = {crossing.distance, next, front.rise + crossing.jump};
    at_zero = next_at_zero;
  }
  if (!std::isfinite(end) && !at_zero && front.value * front.rise < 0)
    zeros_.push_back(sign * (front.distance - front.value / front.rise));
}

double combinations(std::int64_t items, int chosen) {
  double count = 1;
  for (int i = 0; i < chosen; ++i) count = count * static_cast<double>(items - i) / (i + 1);
  return std::max(0.0, count);
}

std::vector<std::int64_t> combination(std::int64_t items, int chosen, std::uint64_t number) {
  std::vector<std::int64_t> picked;
  std::int64_t next = 0;
  for (int left = chosen; left > 0; --left) {
    // Combinations that begin with `next`: those of left - 1 out of the items behind it.
    for (;; ++next) {
      const auto with_next = static_cast<std::uint64_t>(std::llround(combinations(items - next - 1, left - 1)));
      if (number < with_next) break;
      number -= with_next;
    }
    picked.push_back(next++);
  }
  return picked;
}

bool next_combination(std::int64_t items, std::vector<std::int64_t>& chosen) {
  const auto count = static_cast<std::int64_t>(chosen.size());
  for (std::int64_t i = count - 1; i >= 0; --i) {
    auto& place = chosen[static_cast<std::size_t>(i)];
    if (place >= items - count + i) continue;
    ++place;
    for (std::int64_t j = i + 1; j < count; ++j)
      chosen[static_cast<std::size_t>(j)] = chosen[static_cast<std::size_t>(j - 1)] + 1;
    return true;
  }
  return false;
}

}  // namespace rankflow::analysis
