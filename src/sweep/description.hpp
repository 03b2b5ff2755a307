#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/value.hpp"
#include "sweep/driver_kind.hpp"

namespace rankflow::sweep {

/// One key with one value of it. Values know the place in the sweep file that they come from.
struct Assignment {
  std::string key;
  config::Value value;
};
/// What distinguishes a case from the base, seeds aside.
using Setting = std::vector<Assignment>;

/// A key with the values that it takes.
struct Axis {
  std::string key;
  std::vector<config::Value> values;
  std::string place;  ///< "sweep.toml:12", for messages
};

enum class Law { uniform, log_uniform, integer, choice };

/// A key whose values are drawn.
struct Drawn {
  std::string key;
  Law law = Law::uniform;
  double low = 0, high = 0;  ///< inclusive
  std::vector<config::Value> choices;
  config::Origin origin = {};
};

struct RandomSearch {
  std::int64_t cases = 0;
  std::uint64_t seed = 1;
  std::vector<Drawn> keys;
  std::string place;
};

enum class Relation { any_of, none_of, above, at_least, below, at_most };

/// What is demanded of the value of a key: compared with the first operand, or being among them.
struct Test {
  Relation relation = Relation::any_of;
  std::vector<config::Value> operands;
  std::string other;  ///< key whose value is the operand; empty: `operands`
};
struct Condition {
  std::string key;
  std::vector<Test> tests;  ///< all have to hold
  std::string place;
};

/// Where all conditions hold, `set` is added to a setting and `grid` multiplies it.
struct When {
  std::vector<Condition> conditions;
  Setting set;
  std::vector<Axis> grid;
  std::string place;
};

struct Exclusion {
  std::vector<Condition> conditions;
  std::string place;
};

/// A sweep file, read and checked against the keys of its driver.
struct Description {
  std::filesystem::path source;  ///< the sweep file, absolute
  std::filesystem::path base;
  std::filesystem::path directory;
  config::SweepOptions options;
  DriverKind kind;
  int ranks = 1;                                   ///< of a case that does not say; or ranks_to_measure
  std::optional<std::vector<std::int64_t>> seeds;  ///< none: the base's
  std::optional<std::int64_t> replicates;          ///< so many seeds from the base's on
  Setting fixed;                                   ///< of all cases
  std::vector<Axis> grid, zip;
  std::optional<RandomSearch> random;
  std::vector<Setting> cases;
  std::vector<When> when;
  std::vector<Exclusion> exclude;
};

/// The key of the number of ranks, which may be varied as keys of the configuration are.
inline constexpr const char* ranks_key = "ranks";

/// Number of ranks, at least 1, or ranks_to_measure for "measured". Throws ConfigurationError that begins with `what`.
int read_ranks(const config::Value& value, const std::string& what);

/// Reads a sweep file, then each "sweep.key=value" of `sets`. Throws ConfigurationError naming file, line and key.
Description read_description(const std::filesystem::path& file, const std::vector<std::string>& sets);

}  // namespace rankflow::sweep
