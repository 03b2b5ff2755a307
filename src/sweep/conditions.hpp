#pragma once
#include "sweep/description.hpp"

namespace rankflow::sweep {

/// The values that a case has: those of its setting, then the base's, then the driver's defaults.
class CaseValues {
 public:
  /// `base`: the base configuration with what is fixed for all cases. Both must outlive this.
  CaseValues(const DriverKind& kind, const config::Value& base) : kind_(kind), base_(base) {}

  /// Null where the key has no value.
  const config::Value* find(const Setting& setting, const std::string& key) const;

 private:
  const DriverKind& kind_;
  const config::Value& base_;
};

/// Whether all conditions hold. A key without a value fulfils none but `not`. Throws ConfigurationError when a number
/// is compared with something else.
bool all_hold(const std::vector<Condition>& conditions, const Setting& setting, const CaseValues& values);

/// Equal as numbers, else as TOML.
bool same_value(const config::Value& a, const config::Value& b);

}  // namespace rankflow::sweep
