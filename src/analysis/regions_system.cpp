#include "analysis/regions_system.hpp"

#include <algorithm>
#include <cmath>

namespace rankflow::analysis {
namespace {

/// Differences of hyperplanes below this (unit normals) are rounding.
constexpr double same_plane = 1e-13;

/// A kink with a normal of length 1.
struct Kink {
  SmallVector normal;
  double threshold = 0;
  SmallVector weight;
  double magnitude = 0;  ///< sum of the |weight| that were merged
};

double maximum_norm(const SmallVector& x) {
  return x.size() == 0 ? 0.0 : x.lpNorm<Eigen::Infinity>();
}

/// 1: the same hyperplane, -1: with the opposite normal, 0: another one.
int compare(const Kink& one, const Kink& other, double length) {
  for (const int sign : {1, -1}) {
    const double turn = maximum_norm(one.normal - sign * other.normal);
    const double shift = std::abs(one.threshold - sign * other.threshold);
    if (turn <= same_plane && shift <= same_plane * (length + std::abs(one.threshold))) return sign;
  }
  return 0;
}

/// The kinks with normals of length 1; those without normal go into the constant.
std::vector<Kink> unit_kinks(KinkedSystem& system) {
  std::vector<Kink> kinks;
  for (std::int64_t k = 0; k < system.kinks(); ++k) {
    Kink kink{system.normal(k), system.thresholds[static_cast<std::size_t>(k)], system.weight(k)};
    const double size = kink.normal.stableNorm();
    if (size == 0) {
      system.constant += std::max(0.0, -kink.threshold) * kink.weight;
      continue;
    }
    kink.normal /= size;
    kink.threshold /= size;
    kink.weight *= size;
    kink.magnitude = maximum_norm(kink.weight);
    kinks.push_back(kink);
  }
  return kinks;
}

/// Adds `kink` to the one with the same hyperplane, if `groups` holds it from place `first` on.
bool join(const Kink& kink, std::vector<Kink>& groups, std::size_t first, double length, KinkedSystem& system) {
  for (std::size_t i = first; i < groups.size(); ++i) {
    auto& group = groups[i];
    const int sign = compare(group, kink, length);
    if (sign == 0) continue;
    if (sign < 0) {  // relu(-s) = relu(s) - s
      system.linear -= kink.weight * group.normal.transpose();
      system.constant += kink.weight * group.threshold;
    }
    group.weight += kink.weight;
    group.magnitude += kink.magnitude;
    return true;
  }
  return false;
}

/// One kink per hyperplane. `sorted` by |threshold|.
std::vector<Kink> merge(const std::vector<Kink>& sorted, KinkedSystem& system) {
  const double length = sorted.empty() ? 1.0 : std::abs(sorted[sorted.size() / 2].threshold);
  std::vector<Kink> groups;
  std::size_t first = 0;  // the first group that may coincide with what follows
  for (const auto& kink : sorted) {
    const double margin = 2 * same_plane * (length + std::abs(kink.threshold));
    while (first < groups.size() && std::abs(groups[first].threshold) < std::abs(kink.threshold) - margin) ++first;
    if (!join(kink, groups, first, length, system)) groups.push_back(kink);
  }
  return groups;
}

}  // namespace

void KinkedSystem::add_kink(const SmallVector& normal, double threshold, const SmallVector& weight) {
  normals.insert(normals.end(), normal.data(), normal.data() + normal.size());
  thresholds.push_back(threshold);
  weights.insert(weights.end(), weight.data(), weight.data() + weight.size());
}

SmallVector KinkedSystem::normal(std::int64_t kink) const {
  return Eigen::Map<const Eigen::VectorXd>(normals.data() + kink * dimension(), dimension());
}

SmallVector KinkedSystem::weight(std::int64_t kink) const {
  return Eigen::Map<const Eigen::VectorXd>(weights.data() + kink * outputs(), outputs());
}

SmallVector KinkedSystem::evaluate(const SmallVector& x) const {
  SmallVector value = linear * x + constant;
  for (std::int64_t k = 0; k < kinks(); ++k) {
    const double above = normal(k).dot(x) - thresholds[static_cast<std::size_t>(k)];
    if (above > 0) value += above * weight(k);
  }
  return value;
}

void KinkedSystem::tidy() {
  std::vector<Kink> unit = unit_kinks(*this);
  normals.clear();
  thresholds.clear();
  weights.clear();
  // Coincident hyperplanes have equal |threshold|: neighbours in this order.
  std::stable_sort(unit.begin(), unit.end(),
                   [](const Kink& a, const Kink& b) { return std::abs(a.threshold) < std::abs(b.threshold); });
  for (const auto& kink : merge(unit, *this))
    if (maximum_norm(kink.weight) > same_plane * kink.magnitude) add_kink(kink.normal, kink.threshold, kink.weight);
}

double KinkedSystem::length() const {
  std::vector<double> distances;
  for (const double threshold : thresholds)
    if (threshold != 0) distances.push_back(std::abs(threshold));
  if (!distances.empty()) {
    const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
    std::nth_element(distances.begin(), middle, distances.end());
    return *middle;
  }
  // All hyperplanes through 0: the distance at which the linear part makes up for the constant one.
  const double size = maximum_norm(constant);
  const double steep = steepness();
  return size > 0 && steep > 0 ? size / steep : 1.0;
}

double KinkedSystem::steepness() const {
  SmallVector sum = linear.cwiseAbs().rowwise().sum();
  for (std::int64_t k = 0; k < kinks(); ++k) sum += weight(k).cwiseAbs() * normal(k).lpNorm<1>();
  return maximum_norm(sum);
}

}  // namespace rankflow::analysis
