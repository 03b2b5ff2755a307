#pragma once
#include <string>
#include <vector>

#include "sweep/description.hpp"

namespace rankflow::sweep {

/// Reads the tables of a sweep file whose keys are those of a driver.
class KeyTables {
 public:
  /// `source`: the sweep file as messages name it.
  KeyTables(const DriverKind& kind, std::string source) : kind_(kind), source_(std::move(source)) {}

  /// "sweep.toml:12", or "--set sweep.grid.network.rank=[1]".
  std::string place(const config::Origin& origin) const;
  /// The keys of `table` with what stands behind them, nested tables and quoted dotted keys alike. `name` is that of
  /// the table in the file. Throws ConfigurationError when it is no table, or a key is unknown to the driver.
  Setting keys(const config::Value& table, const std::string& name) const;
  /// Keys with lists of values, or { linspace = [a, b, count] }, { geomspace = [a, b, count] }. Throws as keys(), and
  /// when a list is empty, repeats a value or is none.
  std::vector<Axis> axes(const config::Value& table, const std::string& name) const;
  std::vector<Drawn> drawn(const Setting& keys, const std::string& name) const;
  std::vector<Condition> conditions(const config::Value& table, const std::string& name) const;
  /// The entries of an array of tables, [[name]].
  const config::Array& entries(const config::Value& list, const std::string& name) const;
  /// Throws unless the driver has this key.
  void require_known(const std::string& key, const config::Origin& origin, const std::string& name) const;

 private:
  void collect(const config::Value& table, const std::string& prefix, const std::string& name, Setting& found) const;
  Axis axis(const Assignment& entry, const std::string& name) const;
  Drawn draw(const Assignment& entry, const std::string& name) const;
  Condition condition(const Assignment& entry, const std::string& name) const;
  Test test(const config::Member& member, const Assignment& entry, const std::string& name) const;

  const DriverKind& kind_;
  std::string source_;
};

/// Values of { linspace = … } and { geomspace = … }; integers when ends and steps of a linspace are whole. `what`
/// begins the messages.
std::vector<config::Value> spaced_values(const config::Member& spec, const std::string& what);

/// Numbers as doubles; nothing for other values.
std::optional<double> number_of(const config::Value& value);

}  // namespace rankflow::sweep
