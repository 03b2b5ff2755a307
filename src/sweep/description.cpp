#include "sweep/description.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "config/load.hpp"
#include "core/error.hpp"
#include "sweep/key_tables.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {
namespace {

using config::Value;

/// The member `key` of one of the entries of [[name]]; other keys than `known` are mistakes.
void require_keys(const Value& table, const std::vector<std::string>& known, const std::string& name,
                  const KeyTables& tables) {
  for (const auto& [key, value] : *table.as<config::Table>())
    if (std::ranges::find(known, key) == known.end())
      throw ConfigurationError("{}: unknown key '{}' in [[{}]]; allowed: {}", tables.place(value.origin), key, name,
                               fmt::join(known, ", "));
}

void read_seeds(Description& description, const Value& seeds, const KeyTables& tables) {
  const auto refuse = [&](const std::string& why) {
    throw ConfigurationError("{}: 'sweep.seeds' = {} {}; allowed: how many, or a list of seeds, as in [1, 2, 3]",
                             tables.place(seeds.origin), config::shown(seeds), why);
  };
  constexpr std::int64_t most = 100000;
  if (const auto* count = seeds.as<std::int64_t>()) {
    if (*count < 1 || *count > most) refuse(fmt::format("is not between 1 and {}", most));
    description.replicates = *count;
    return;
  }
  const auto* list = seeds.as<config::Array>();
  if (list == nullptr) refuse("is " + config::type_of(seeds));
  if (list->empty()) refuse("is an empty list, which leaves no case");
  std::set<std::int64_t> different;
  for (const auto& entry : *list) {
    const auto* seed = entry.as<std::int64_t>();
    if (seed == nullptr || *seed < 0) refuse(fmt::format("has {}, which is no seed", config::shown(entry)));
    if (!different.insert(*seed).second) refuse(fmt::format("has {} twice", *seed));
  }
  auto& result = description.seeds.emplace();
  for (const auto& entry : *list) result.push_back(*entry.as<std::int64_t>());
}

RandomSearch read_random(const Value& table, const KeyTables& tables) {
  if (table.as<config::Table>() == nullptr) tables.keys(table, "sweep.random");  // says what is allowed
  Value keys = table;
  RandomSearch search{.keys = {}, .place = tables.place(table.origin)};
  const auto take = [&](const char* name, std::int64_t least) -> std::optional<std::int64_t> {
    auto& members = *keys.as<config::Table>();
    const auto found = std::ranges::find(members, name, &config::Member::key);
    if (found == members.end()) return std::nullopt;
    const auto* number = found->value.as<std::int64_t>();
    if (number == nullptr || *number < least)
      throw ConfigurationError("{}: 'sweep.random.{}' = {} must be an integer of at least {}",
                               tables.place(found->value.origin), name, config::shown(found->value), least);
    const auto result = *number;
    members.erase(found);
    return result;
  };
  const auto cases = take("cases", 1);
  if (!cases)
    throw ConfigurationError("{}: 'sweep.random.cases' is missing; give how many cases to draw", search.place);
  search.cases = *cases;
  search.seed = static_cast<std::uint64_t>(take("seed", 0).value_or(1));
  search.keys = tables.drawn(tables.keys(keys, "sweep.random"), "sweep.random");
  if (search.keys.empty())
    throw ConfigurationError("{}: [sweep.random] draws no key: all {} cases would be the same", search.place, *cases);
  return search;
}

When read_when(const Value& table, const KeyTables& tables) {
  const std::string name = "sweep.when";
  require_keys(table, {"if", "set", "grid"}, name, tables);
  When when{.conditions = {}, .set = {}, .grid = {}, .place = tables.place(table.origin)};
  const auto* condition = table.find("if");
  if (condition == nullptr)
    throw ConfigurationError("{}: [[sweep.when]] lacks 'if'; what holds for all cases stands in [sweep.set]",
                             when.place);
  when.conditions = tables.conditions(*condition, name + ".if");
  if (const auto* set = table.find("set")) when.set = tables.keys(*set, name + ".set");
  if (const auto* grid = table.find("grid")) when.grid = tables.axes(*grid, name + ".grid");
  if (when.set.empty() && when.grid.empty())
    throw ConfigurationError("{}: [[sweep.when]] changes nothing; give keys in 'set' or 'grid'", when.place);
  return when;
}

void require_equal_lengths(const std::vector<Axis>& zip) {
  const auto unequal =
      std::ranges::find_if(zip, [&](const Axis& axis) { return axis.values.size() != zip.front().values.size(); });
  if (unequal == zip.end()) return;
  throw ConfigurationError(
      "{}: '{}' has {} values in [sweep.zip], but '{}' has {}: values of one place belong together; make the lists "
      "equally long, or move a key to [sweep.grid] for all combinations",
      unequal->place, unequal->key, unequal->values.size(), zip.front().key, zip.front().values.size());
}

/// No key may get its value from two places.
class Owners {
 public:
  explicit Owners(const KeyTables& tables) : tables_(tables) {}

  void add(const std::string& key, const std::string& table, const std::string& place) {
    const auto [found, fresh] = owners_.try_emplace(key, Owner{table, place});
    if (fresh) return;
    throw ConfigurationError("{}: '{}' in [{}] is {} by [{}] already ({}); leave it in one of them", place, key, table,
                             found->second.table == "sweep.set" ? "fixed" : "varied", found->second.table,
                             found->second.place);
  }
  void add(const Setting& setting, const std::string& table) {
    for (const auto& [key, value] : setting) add(key, table, tables_.place(value.origin));
  }
  void add(const std::vector<Axis>& axes, const std::string& table) {
    for (const auto& axis : axes) add(axis.key, table, axis.place);
  }

 private:
  struct Owner {
    std::string table, place;
  };
  const KeyTables& tables_;
  std::map<std::string, Owner> owners_;
};

void require_one_owner(const Description& description, const KeyTables& tables) {
  Owners product(tables);
  product.add(description.fixed, "sweep.set");
  product.add(description.grid, "sweep.grid");
  product.add(description.zip, "sweep.zip");
  if (description.random)
    for (const auto& drawn : description.random->keys)
      product.add(drawn.key, "sweep.random", tables.place(drawn.origin));
  for (const auto& when : description.when) {
    Owners with_rule = product;
    with_rule.add(when.set, "sweep.when.set");
    with_rule.add(when.grid, "sweep.when.grid");
  }
  Owners all(tables);
  all.add(description.fixed, "sweep.set");
  for (const auto& setting : description.cases) {
    Owners with_case = all;
    with_case.add(setting, "sweep.cases");
  }
}

void read_tables(Description& description, const KeyTables& tables) {
  const auto& sweep = description.options.sweep;
  if (sweep.set) description.fixed = tables.keys(*sweep.set, "sweep.set");
  if (sweep.grid) description.grid = tables.axes(*sweep.grid, "sweep.grid");
  if (sweep.zip) description.zip = tables.axes(*sweep.zip, "sweep.zip");
  require_equal_lengths(description.zip);
  if (sweep.random) description.random = read_random(*sweep.random, tables);
  if (sweep.cases)
    for (const auto& entry : tables.entries(*sweep.cases, "sweep.cases"))
      description.cases.push_back(tables.keys(entry, "sweep.cases"));
  if (sweep.when)
    for (const auto& entry : tables.entries(*sweep.when, "sweep.when"))
      description.when.push_back(read_when(entry, tables));
  if (sweep.exclude)
    for (const auto& entry : tables.entries(*sweep.exclude, "sweep.exclude"))
      description.exclude.push_back({tables.conditions(entry, "sweep.exclude"), tables.place(entry.origin)});
}

void name_file(Value& value, const std::string& file) {
  if (value.origin.set.empty()) value.origin.file = file;
  if (auto* array = value.as<config::Array>())
    for (auto& element : *array) name_file(element, file);
  if (auto* table = value.as<config::Table>())
    for (auto& member : *table) name_file(member.value, file);
}

std::string looks_like_a_configuration(const Value& root) {
  const bool other = root.find("run") != nullptr || root.find("network") != nullptr || root.find("data") != nullptr;
  return other ? " It looks like the configuration of one run: name that as sweep.base in a file of its own." : "";
}

}  // namespace

int read_ranks(const Value& value, const std::string& what) {
  constexpr std::int64_t most = 1'000'000;
  const auto* text = value.as<std::string>();
  if (text != nullptr && *text == "measured") return ranks_to_measure;
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr || *number < 1 || *number > most)
    throw ConfigurationError("{} = {} must be an integer, at least 1 and at most {}, or \"measured\"", what,
                             config::shown(value), most);
  return static_cast<int>(*number);
}

Description read_description(const std::filesystem::path& file, const std::vector<std::string>& sets) {
  const auto name = file.string();
  auto root = config::parse_document(config::read_text_file(name), name);
  for (const auto& set : sets) config::apply_set(root, set);
  name_file(root, name);
  if (root.find("sweep") == nullptr)
    throw ConfigurationError("{}: there is no table [sweep].{}", name, looks_like_a_configuration(root));
  auto loaded = config::load_tree<config::SweepOptions>(root, name);
  const auto& sweep = loaded.options.sweep;
  const auto source = std::filesystem::absolute(file).lexically_normal();
  Description description{.source = source,
                          .base = sweep.base,
                          .directory = sweep.directory.empty() ? source.parent_path() / source.stem()
                                                               : std::filesystem::path(sweep.directory),
                          .options = loaded.options,
                          .kind = DriverKind::of(sweep.driver),
                          .ranks = 1,
                          .seeds = {},
                          .replicates = {},
                          .fixed = {},
                          .grid = {},
                          .zip = {},
                          .random = {},
                          .cases = {},
                          .when = {},
                          .exclude = {}};
  if (!std::filesystem::is_regular_file(description.base))
    throw ConfigurationError(
        "{}: 'sweep.base': there is no file '{}'; give the configuration that all cases start from",
        loaded.where.at("sweep.base"), description.base.string());
  const KeyTables tables(description.kind, name);
  if (sweep.ranks)
    description.ranks = read_ranks(*sweep.ranks, fmt::format("{}: 'sweep.ranks'", loaded.where.at("sweep.ranks")));
  if (sweep.seeds) read_seeds(description, *sweep.seeds, tables);
  read_tables(description, tables);
  require_one_owner(description, tables);
  return description;
}

}  // namespace rankflow::sweep
