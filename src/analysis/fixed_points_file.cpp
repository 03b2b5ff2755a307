#include "analysis/fixed_points_file.hpp"

#include <utility>

namespace rankflow::analysis {
namespace {

/// One array of a group under way: a value, or one per latent, for each item.
class Columns {
 public:
  Columns(io::File& file, std::string group, std::vector<std::string> axes, io::Shape shape)
      : file_(file), group_(std::move(group)), axes_(std::move(axes)), shape_(std::move(shape)) {}

  /// `axes` leading axes of the group's.
  template <class T>
  void write(const std::string& name, std::size_t axes, io::Type type, const std::string& units,
             const std::string& long_name, const std::vector<T>& values) {
    const auto end = static_cast<std::ptrdiff_t>(axes);
    file_.create_dataset({.path = group_ + "/" + name,
                          .shape = {shape_.begin(), shape_.begin() + end},
                          .dimensions = {axes_.begin(), axes_.begin() + end},
                          .type = type,
                          .units = units,
                          .long_name = long_name});
    file_.write_all<T>(group_ + "/" + name, values);
  }

 private:
  io::File& file_;
  std::string group_;
  std::vector<std::string> axes_;
  io::Shape shape_;
};

/// One value of each item.
template <class T, class Items, class Pick>
std::vector<T> collect(const Items& items, Pick pick) {
  std::vector<T> values;
  values.reserve(items.size());
  for (const auto& item : items) values.push_back(static_cast<T>(pick(item)));
  return values;
}

/// Several values of each item, one after the other.
template <class Items, class Pick>
std::vector<double> collect_rows(const Items& items, Pick pick) {
  std::vector<double> values;
  for (const auto& item : items)
    for (const double value : pick(item)) values.push_back(value);
  return values;
}

template <class Items>
void write_eigenvalues(Columns& columns, const std::string& prefix, const std::string& units, const std::string& of,
                       const Items& items) {
  for (const bool real : {true, false})
    columns.write<double>(prefix + (real ? "_real" : "_imag"), 2, io::Type::f64, units,
                          (real ? "real" : "imaginary") + (" parts of the eigenvalues of " + of),
                          collect_rows(items, [&](const auto& item) {
                            std::vector<double> parts;
                            for (const auto& value : item.linear.eigenvalues)
                              parts.push_back(real ? value.real() : value.imag());
                            return parts;
                          }));
  columns.write<std::uint8_t>(
      "stable", 1, io::Type::u8, "", "1: stable",
      collect<std::uint8_t>(items, [](const auto& item) { return item.linear.verdict == Stability::stable ? 1 : 0; }));
}

void write_points(io::File& file, const LatentMap& map, const std::vector<FixedPoint>& points) {
  const auto count = static_cast<std::uint64_t>(points.size());
  Columns columns(file, "/fixed_points", {"fixed_point", "rank"}, {count, static_cast<std::uint64_t>(map.rank())});
  columns.write<double>("latent", 2, io::Type::f64, "1", "latent state of each fixed point",
                        collect_rows(points, [](const auto& p) { return p.place; }));
  columns.write<double>("residual", 1, io::Type::f64, "1", "largest deviation from the equations, by substitution",
                        collect<double>(points, [](const auto& p) { return p.residual; }));
  write_eigenvalues(columns, "eigenvalues", map.discrete() ? "1" : "1/s", "the Jacobian, most unstable first", points);
  columns.write<std::uint8_t>("verdict", 1, io::Type::u8, "", "0 stable, 1 saddle, 2 unstable, 3 undecided",
                              collect<std::uint8_t>(points, [](const auto& p) { return p.linear.verdict; }));
  columns.write<std::int32_t>("growing", 1, io::Type::i32, "", "number of growing directions",
                              collect<std::int32_t>(points, [](const auto& p) { return p.linear.growing; }));
  columns.write<std::uint8_t>("kind", 1, io::Type::u8, "", "0 isolated, 1 on a kink, 2 point of a continuum",
                              collect<std::uint8_t>(points, [](const auto& p) { return p.kind; }));
  columns.write<double>("basin", 1, io::Type::f64, "1", "share of random starts that ended here",
                        collect<double>(points, [](const auto& p) { return p.basin; }));
  if (map.piecewise_linear())
    columns.write<double>("boundary_distance", 1, io::Type::f64, "1", "distance to the nearest kink",
                          collect<double>(points, [](const auto& p) { return p.boundary_distance; }));
}

void write_cycles(io::File& file, const LatentMap& map, const CycleSearch& search) {
  const auto group = "/cycles/order_" + std::to_string(search.order);
  file.create_group(group);
  file.set_attributes(group, {{"count", static_cast<std::int64_t>(search.cycles.size())},
                              {"complete", std::int64_t{search.complete ? 1 : 0}},
                              {"starts", search.starts}});
  if (search.cycles.empty()) return;
  const auto count = static_cast<std::uint64_t>(search.cycles.size());
  const auto rank = static_cast<std::uint64_t>(map.rank());
  Columns places(file, group, {"cycle", "step", "rank"}, {count, static_cast<std::uint64_t>(search.order), rank});
  places.write<double>("latent", 3, io::Type::f64, "1", "latent states of each cycle",
                       collect_rows(search.cycles, [](const auto& cycle) {
                         std::vector<double> values;
                         for (Eigen::Index i = 0; i < cycle.points.rows(); ++i)
                           for (const double value : cycle.points.row(i)) values.push_back(value);
                         return values;
                       }));
  Columns columns(file, group, {"cycle", "rank"}, {count, rank});
  columns.write<double>("residual", 1, io::Type::f64, "1", "largest deviation from the equations, by substitution",
                        collect<double>(search.cycles, [](const auto& cycle) { return cycle.residual; }));
  write_eigenvalues(columns, "multipliers", "1", "the map composed with itself", search.cycles);
}

}  // namespace

void write_fixed_points(io::File& file, const LatentMap& map, const FixedPointReport& report) {
  file.create_group("/fixed_points");
  const auto& effort = report.effort;
  file.set_attributes("/fixed_points", {{"count", static_cast<std::int64_t>(report.points.size())},
                                        {"dynamics", std::string(map.discrete() ? "map" : "flow")},
                                        {"complete", std::int64_t{effort.complete ? 1 : 0}},
                                        {"statement", completeness_statement(effort)},
                                        {"hyperplanes", effort.hyperplanes},
                                        {"crossings", effort.crossings},
                                        {"regions", effort.regions},
                                        {"unresolved", effort.unresolved},
                                        {"newton_starts", effort.starts},
                                        {"newton_successes", effort.successes},
                                        {"basin_starts", report.basins.starts},
                                        {"basin_diverged", report.basins.diverged},
                                        {"basin_elsewhere", report.basins.elsewhere}});
  if (!report.points.empty()) write_points(file, map, report.points);
  for (const auto& search : report.cycles) write_cycles(file, map, search);
}

}  // namespace rankflow::analysis
