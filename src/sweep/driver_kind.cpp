#include "sweep/driver_kind.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/ranges.h>

#include "config/fit_flow_options.hpp"
#include "config/fit_vsmc_options.hpp"
#include "config/load.hpp"
#include "config/relative_paths.hpp"
#include "config/simulate_options.hpp"
#include "config/unknown_key.hpp"
#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace rankflow::sweep {
namespace {

bool holds_out(const config::FitVsmcOptions& options) {
  return options.training.validation_fraction > 0;
}

std::int64_t epochs_of(const config::FitVsmcOptions& options) {
  return options.training.epochs;
}
void forget_pauses(config::FitVsmcOptions& options) {
  options.training.pause_after = 0;
}

// What is said of a fit's trainings holds for no other driver.
template <class Options>
bool holds_out(const Options& /*options*/) {
  return true;
}
template <class Options>
std::int64_t epochs_of(const Options& /*options*/) {
  return 0;
}
void forget_pauses(config::FitFlowOptions& options) {
  options.run.pause_after = 0;
}
void forget_pauses(config::SimulateOptions& /*options*/) {}

template <class Options>
Resolved resolve_as(const config::Value& tree, const std::string& name) {
  auto loaded = config::load_tree<Options>(tree, name);
  auto& options = loaded.options;
  Resolved resolved{.configuration = std::move(loaded.resolved),
                    .identity = {},
                    .seed = options.run.seed,
                    .epochs = epochs_of(options),
                    .held_out = holds_out(options)};
  // When a run stops and saves itself changes none of its results.
  const config::RunOptions fresh;
  options.run.wall_time = fresh.wall_time;
  options.run.checkpoint_every = fresh.checkpoint_every;
  forget_pauses(options);
  config::RelativePaths shortener(std::filesystem::absolute(name).parent_path().lexically_normal());
  config::Visitor(shortener).group(options);
  resolved.identity = config::resolved_toml(options);
  return resolved;
}

/// inputs.2.amplitude -> inputs.0.amplitude, as lists are documented.
std::string with_first_entries(std::string_view key) {
  std::string result;
  for (std::size_t begin = 0; begin <= key.size();) {
    const auto end = std::min(key.find('.', begin), key.size());
    const auto part = key.substr(begin, end - begin);
    const bool index = !part.empty() && std::ranges::all_of(part, [](unsigned char c) { return std::isdigit(c) != 0; });
    result += (result.empty() ? "" : ".") + (index ? "0" : std::string(part));
    begin = end + 1;
  }
  return result;
}

bool contains(const std::vector<std::string>& names, std::string_view key) {
  return std::ranges::find(names, with_first_entries(key)) != names.end();
}

}  // namespace

template <class Options>
DriverKind DriverKind::make(std::string name) {
  DriverKind kind;
  kind.name_ = std::move(name);
  const auto tables = config::list_tables<Options>();
  kind.names_ = config::dotted_names(tables);
  for (const auto& table : tables)
    for (const auto& key : table.keys) kind.values_.push_back(config::dotted(table.name, key.key));
  Options options{};
  kind.defaults_ = config::parse_document(config::resolved_toml(options), "defaults");
  kind.resolve_ = resolve_as<Options>;
  return kind;
}

DriverKind DriverKind::of(config::SweepDriver driver) {
  switch (driver) {
    case config::SweepDriver::fit_vsmc:
      return make<config::FitVsmcOptions>("fit vsmc");
    case config::SweepDriver::fit_flow:
      return make<config::FitFlowOptions>("fit flow");
    case config::SweepDriver::simulate:
      return make<config::SimulateOptions>("simulate");
    case config::SweepDriver::generate_recording:
      return make<config::SimulateOptions>("generate recording");
  }
  throw InternalError("unknown driver of a sweep");
}

bool DriverKind::knows(std::string_view key) const {
  return contains(names_, key);
}

bool DriverKind::is_value(std::string_view key) const {
  return contains(values_, key);
}

std::string DriverKind::hint(const std::string& key) const {
  if (const auto near = nearest(key, names_); !near.empty()) return fmt::format(" Did you mean '{}'?", near);
  const auto dot = key.rfind('.');
  const auto table = dot == std::string::npos ? std::string() : key.substr(0, dot);
  std::vector<std::string> keys;
  for (const auto& name : names_)
    if (name.size() > table.size() && config::dotted(table, name.substr(name.rfind('.') + 1)) == name)
      keys.push_back(name.substr(name.rfind('.') + 1));
  return config::unknown_key_hint(key.substr(dot + 1), keys.empty() ? "" : table, keys, names_);
}

const config::Value* DriverKind::default_of(std::string_view key) const {
  return find_value(defaults_, key);
}

const config::Value* find_value(const config::Value& root, std::string_view key) {
  const auto* place = &root;
  for (std::size_t begin = 0; begin <= key.size() && place != nullptr;) {
    const auto end = std::min(key.find('.', begin), key.size());
    const auto part = key.substr(begin, end - begin);
    if (const auto* list = place->as<config::Array>()) {
      std::size_t index = list->size();
      std::from_chars(part.data(), part.data() + part.size(), index);
      place = index < list->size() ? &(*list)[index] : nullptr;
    } else {
      place = place->find(part);
    }
    begin = end + 1;
  }
  return place;
}

}  // namespace rankflow::sweep
