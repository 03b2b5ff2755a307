#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/sweep_options.hpp"
#include "config/value.hpp"

namespace rankflow::sweep {

/// A configuration after the driver's own checks.
struct Resolved {
  std::string configuration;  ///< resolved TOML
  std::string identity;       ///< the same without what changes no result, files relative to the base's folder
  std::int64_t seed = 0;      ///< run.seed
  std::int64_t epochs = 0;    ///< training.epochs of a fit
  bool held_out = true;       ///< a fit keeps data back to judge itself by
};

/// What a sweep has to know of a driver: its keys, and how to check a configuration.
class DriverKind {
 public:
  static DriverKind of(config::SweepDriver driver);

  const std::string& name() const noexcept { return name_; }
  /// Dotted names of all tables and keys; entries of lists by their first, inputs.0.amplitude.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// Whether there is such a key or table; any entry of a list counts.
  bool knows(std::string_view key) const;
  /// Whether the key holds a value, rather than other keys.
  bool is_value(std::string_view key) const;
  /// " Did you mean '…'?", or the keys of the table that it stands in, or all tables.
  std::string hint(const std::string& key) const;
  /// The default of a key; null when it is not set or no value.
  const config::Value* default_of(std::string_view key) const;
  /// Reads the tree as the driver would. `name`: of the file that it is from. Throws ConfigurationError.
  Resolved resolve(const config::Value& tree, const std::string& name) const { return resolve_(tree, name); }

 private:
  using Resolve = Resolved (*)(const config::Value&, const std::string&);
  template <class Options>
  static DriverKind make(std::string name);

  std::string name_;
  std::vector<std::string> names_, values_;
  config::Value defaults_;
  Resolve resolve_ = nullptr;
};

/// The value at a dotted key (inputs.0.amplitude) of a tree; null when there is none.
const config::Value* find_value(const config::Value& root, std::string_view key);

}  // namespace rankflow::sweep
