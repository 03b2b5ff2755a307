#include "sweep/expansion.hpp"

#include <algorithm>
#include <set>

#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "sweep/random_search.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::size_t most_settings = 1'000'000;

void require_few(std::size_t count, const Description& description) {
  if (count > most_settings)
    throw ConfigurationError(
        "{}: the lists combine to more than {} cases; shorten them, or draw cases by [sweep.random]",
        description.source.string(), most_settings);
}

/// Every setting with every value of each axis; the last axis runs fastest.
void multiply(std::vector<Setting>& settings, const std::vector<Axis>& axes, const Description& description) {
  for (const auto& axis : axes) {
    require_few(settings.size() * axis.values.size(), description);
    std::vector<Setting> product;
    product.reserve(settings.size() * axis.values.size());
    for (const auto& setting : settings)
      for (const auto& value : axis.values) {
        product.push_back(setting);
        product.back().push_back({axis.key, value});
      }
    settings = std::move(product);
  }
}

/// Every setting with every one of `parts`.
void multiply(std::vector<Setting>& settings, const std::vector<Setting>& parts, const Description& description) {
  require_few(settings.size() * parts.size(), description);
  std::vector<Setting> product;
  product.reserve(settings.size() * parts.size());
  for (const auto& setting : settings)
    for (const auto& part : parts) {
      product.push_back(setting);
      product.back().insert(product.back().end(), part.begin(), part.end());
    }
  settings = std::move(product);
}

std::vector<Setting> zipped(const std::vector<Axis>& zip) {
  std::vector<Setting> rows(zip.front().values.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const auto& axis : zip) rows[i].push_back({axis.key, axis.values[i]});
  return rows;
}

bool among(const Setting& setting, const std::string& key) {
  return std::ranges::find(setting, key, &Assignment::key) != setting.end();
}

/// Whether the rule looks at drawn keys only, so that a draw may be refused before it is combined with others.
bool concerns_only(const Exclusion& rule, const Setting& draw) {
  return std::ranges::all_of(rule.conditions, [&](const Condition& condition) {
    return among(draw, condition.key) && std::ranges::all_of(condition.tests, [&](const Test& test) {
             return test.other.empty() || among(draw, test.other);
           });
  });
}

std::vector<Setting> draws(const Description& description, const CaseValues& values) {
  const auto& search = *description.random;
  const auto excluded = [&](const Setting& draw) {
    return std::ranges::any_of(description.exclude, [&](const Exclusion& rule) {
      return concerns_only(rule, draw) && all_hold(rule.conditions, draw, values);
    });
  };
  std::set<std::string> seen;
  std::vector<Setting> accepted;
  const auto wanted = static_cast<std::size_t>(search.cases);
  require_few(wanted, description);
  const auto most_tries = static_cast<std::uint32_t>(100 * wanted + 1000);
  for (std::uint32_t i = 0; i < most_tries && accepted.size() < wanted; ++i) {
    auto draw = random_setting(search, i);
    if (!seen.insert(setting_text(draw)).second || excluded(draw)) continue;
    accepted.push_back(std::move(draw));
  }
  if (accepted.size() < wanted)
    throw ConfigurationError(
        "{}: [sweep.random] asks for {} cases, but {} draws gave only {} different ones that are not excluded; ask for "
        "fewer, or widen the ranges",
        search.place, wanted, most_tries, accepted.size());
  return accepted;
}

void append(Setting& setting, const Setting& more, const When& rule) {
  for (const auto& assignment : more) {
    if (among(setting, assignment.key))
      throw ConfigurationError("{}: [[sweep.when]] gives '{}' a second value where {}; leave it in one place",
                               rule.place, assignment.key, setting_text(setting));
    setting.push_back(assignment);
  }
}

void apply(const When& rule, std::vector<Setting>& settings, const Description& description, const CaseValues& values,
           Expansion& expansion) {
  std::vector<Setting> result;
  bool ever = false;
  for (auto& setting : settings) {
    if (!all_hold(rule.conditions, setting, values)) {
      result.push_back(std::move(setting));
      continue;
    }
    ever = true;
    for (const auto& axis : rule.grid) append(setting, {{axis.key, {}}}, rule);
    setting.resize(setting.size() - rule.grid.size());
    append(setting, rule.set, rule);
    std::vector<Setting> several{std::move(setting)};
    multiply(several, rule.grid, description);
    require_few(result.size() + several.size(), description);
    std::ranges::move(several, std::back_inserter(result));
  }
  if (!ever) expansion.notes.push_back(fmt::format("{}: this [[sweep.when]] holds for no case", rule.place));
  settings = std::move(result);
}

void exclude(const Description& description, const CaseValues& values, Expansion& expansion) {
  const auto before = expansion.settings.size();
  std::string places;
  for (const auto& rule : description.exclude) {
    const auto count = std::erase_if(
        expansion.settings, [&](const Setting& setting) { return all_hold(rule.conditions, setting, values); });
    if (count == 0)
      expansion.notes.push_back(fmt::format("{}: this [[sweep.exclude]] excludes no further case", rule.place));
    places += fmt::format("{}{} ({})", places.empty() ? "" : ", ", rule.place, count);
  }
  expansion.excluded = static_cast<std::int64_t>(before - expansion.settings.size());
  if (expansion.settings.empty())
    throw ConfigurationError(
        "{}: [[sweep.exclude]] leaves no case: all {} are excluded, by the rules at {}; the conditions of one table "
        "must hold together for a case to be left out, so a table with fewer of them excludes more",
        description.source.string(), before, places);
}

}  // namespace

std::string setting_text(const Setting& setting) {
  std::string text;
  for (const auto& [key, value] : setting)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, config::inline_toml(value));
  return text.empty() ? "the base" : text;
}

Expansion expand(const Description& description, const CaseValues& values) {
  Expansion expansion;
  const bool product = !description.grid.empty() || !description.zip.empty() || description.random;
  if (product || description.cases.empty()) expansion.settings.emplace_back();
  multiply(expansion.settings, description.grid, description);
  if (!description.zip.empty()) multiply(expansion.settings, zipped(description.zip), description);
  if (description.random) multiply(expansion.settings, draws(description, values), description);
  expansion.settings.insert(expansion.settings.end(), description.cases.begin(), description.cases.end());
  for (const auto& rule : description.when) apply(rule, expansion.settings, description, values, expansion);
  exclude(description, values, expansion);
  return expansion;
}

}  // namespace rankflow::sweep
