#include "sweep/plan.hpp"

#include <fstream>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include <unistd.h>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "io/file_system.hpp"

namespace rankflow::sweep {
namespace {

namespace fs = std::filesystem;
using config::Table;
using config::Value;

constexpr std::int64_t format_version = 1;
constexpr std::string_view cases_begin = "\ncases = [\n";
constexpr std::string_view cases_end = "]\n";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

/// A case's configuration as what differs from the first one's: a plan of 10⁴ cases stays small.
Table configuration_of(const Case& one, const std::vector<std::string>& common) {
  const auto lines = lines_of(one.configuration);
  if (lines.size() != common.size()) return {{"configuration", {one.configuration}}};
  Table changes;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i] != common[i]) changes.push_back({std::to_string(i), {lines[i]}});
  return {{"lines", {changes}}};
}

std::string case_line(const Case& one, const std::vector<std::string>& common) {
  config::Array varied;  // a table would forget the order
  for (const auto& [key, text] : one.varied) varied.push_back({config::Array{{key}, {text}}});
  Table table{{"id", {one.id}},
              {"driver", {one.driver}},
              {"seed", {one.seed}},
              {"ranks", {std::int64_t{one.ranks}}},
              {"varied", {varied}}};
  for (auto& member : configuration_of(one, common)) table.push_back(std::move(member));
  return config::inline_toml({table}) + ",\n";
}

std::string text_of(const Plan& plan) {
  const auto common = plan.cases.empty() ? std::string() : plan.cases.front().configuration;
  const Table submit{{"per_task", {plan.submit.per_task}},
                     {"throttle", {plan.submit.throttle}},
                     {"time", {plan.submit.time}},
                     {"collect", {plan.submit.collect}}};
  config::Array rungs;
  for (const auto epochs : plan.rungs) rungs.push_back({epochs});
  const Table header{{"format", {format_version}},
                     {"source", {plan.source.string()}},
                     {"metric", {plan.metric}},
                     {"maximise", {plan.maximise}},
                     {"timeout", {plan.timeout}},
                     {"stale_after", {plan.stale_after}},
                     {"attempts", {plan.attempts}},
                     {"configuration", {common}},
                     {"rungs", {rungs}},
                     {"reduction", {plan.reduction}},
                     {"submit", {submit}}};
  auto text = "# Made by rankflow sweep; one case a line. Configurations: what differs from the one here.\n" +
              config::document_toml({header}) + std::string(cases_begin);
  const auto lines = lines_of(common);
  for (const auto& one : plan.cases) text += case_line(one, lines);
  return text + std::string(cases_end);
}

/// Reads members of one table and names the file when they are not as written.
class Members {
 public:
  Members(const Value& table, const fs::path& file) : table_(table), file_(file) {}

  template <class T>
  const T& get(const char* key) const {
    const auto* value = table_.find(key);
    if (value == nullptr || value->as<T>() == nullptr)
      throw InputOutputError(
          "'{}' is damaged: '{}' is missing or of another type; make the plan anew from the sweep file", file_.string(),
          key);
    return *value->as<T>();
  }
  const Value* find(const char* key) const { return table_.find(key); }

 private:
  const Value& table_;
  const fs::path& file_;
};

std::string read_configuration(const Members& members, std::vector<std::string> common, const fs::path& file) {
  if (members.find("configuration") != nullptr) return members.get<std::string>("configuration");
  for (const auto& [number, line] : members.get<Table>("lines")) {
    const auto index = std::stoul(number);
    const auto* text = line.as<std::string>();
    if (index >= common.size() || text == nullptr)
      throw InputOutputError("'{}' is damaged: line {} of a case; make the plan anew from the sweep file",
                             file.string(), number);
    common[index] = *text;
  }
  return joined(common);
}

std::pair<std::string, std::string> read_pair(const Value& entry, const fs::path& file) {
  const auto* pair = entry.as<config::Array>();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].as<std::string>() || !(*pair)[1].as<std::string>())
    throw InputOutputError("'{}' is damaged: what a case varies; make the plan anew from the sweep file",
                           file.string());
  return {*(*pair)[0].as<std::string>(), *(*pair)[1].as<std::string>()};
}

Case read_case(std::string_view line, const std::vector<std::string>& common, const fs::path& file) {
  const auto value = config::parse_value(std::string(line.substr(0, line.rfind(','))));
  if (!value || value->as<Table>() == nullptr)
    throw InputOutputError("'{}' is damaged: a case cannot be read; make the plan anew from the sweep file",
                           file.string());
  const Members members(*value, file);
  Case one{.id = members.get<std::string>("id"),
           .driver = members.get<std::string>("driver"),
           .varied = {},
           .seed = members.get<std::int64_t>("seed"),
           .ranks = static_cast<int>(members.get<std::int64_t>("ranks")),
           .configuration = read_configuration(members, common, file)};
  for (const auto& entry : members.get<config::Array>("varied")) one.varied.push_back(read_pair(entry, file));
  return one;
}

config::SubmitOptions read_submit(const Members& header, const fs::path& file) {
  const Value table{header.get<Table>("submit")};
  const Members members(table, file);
  return {.per_task = members.get<std::int64_t>("per_task"),
          .throttle = members.get<std::int64_t>("throttle"),
          .time = members.get<std::string>("time"),
          .collect = members.get<bool>("collect")};
}

Value parse_header(const std::string& text, const fs::path& file) {
  try {
    return config::parse_document(text, file.string());
  } catch (const ConfigurationError& error) {
    throw InputOutputError("{}", error.what());
  }
}

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

Plan parse(const std::string& text, const fs::path& file) {
  const auto begin = text.find(cases_begin);
  if (begin == std::string::npos || !text.ends_with(cases_end))
    throw InputOutputError("'{}' is damaged: it does not end as a plan does; make the plan anew from the sweep file",
                           file.string());
  const auto header = parse_header(text.substr(0, begin + 1), file);
  const Members members(header, file);
  if (const auto version = members.get<std::int64_t>("format"); version != format_version)
    throw ConfigurationError("'{}' has format {}; this program reads format {}: use the program that made it",
                             file.string(), version, format_version);
  Plan plan{.directory = file.parent_path(),
            .source = members.get<std::string>("source"),
            .metric = members.get<std::string>("metric"),
            .maximise = members.get<bool>("maximise"),
            .timeout = members.get<double>("timeout"),
            .stale_after = members.get<double>("stale_after"),
            .attempts = members.get<std::int64_t>("attempts"),
            .rungs = {},
            .reduction = members.get<std::int64_t>("reduction"),
            .submit = read_submit(members, file),
            .cases = {}};
  for (const auto& epochs : members.get<config::Array>("rungs"))
    if (const auto* number = epochs.as<std::int64_t>()) plan.rungs.push_back(*number);
  const auto common = lines_of(members.get<std::string>("configuration"));
  const std::string_view body = std::string_view(text).substr(begin + cases_begin.size());
  for (std::size_t at = 0; at + cases_end.size() < body.size();) {
    const auto end = body.find('\n', at);
    plan.cases.push_back(read_case(body.substr(at, end - at), common, file));
    at = end + 1;
  }
  return plan;
}

bool share_a_case(const Plan& a, const Plan& b) {
  std::unordered_set<std::string> ids;
  for (const auto& one : a.cases) ids.insert(one.id);
  for (const auto& one : b.cases)
    if (ids.contains(one.id)) return true;
  return false;
}

}  // namespace

fs::path plan_path(const fs::path& directory) {
  return directory / "plan.toml";
}

fs::path case_folder(const fs::path& directory, const std::string& id) {
  return directory / "cases" / id.substr(0, 2) / id;
}

std::string case_id(const std::string& driver, const std::string& identity) {
  return io::hash_of(driver + '\n' + identity);
}

Plan read_plan(const fs::path& directory) {
  const auto folder = fs::absolute(directory).lexically_normal();
  const auto file = plan_path(folder);
  if (!fs::exists(file))
    throw ConfigurationError(
        "'{}' holds no sweep: there is no {}; give the directory of a sweep, or begin one with "
        "'rankflow sweep run sweep.toml'",
        directory.string(), file.filename().string());
  return parse(read_text(file), file);
}

std::string require_own_directory(const Plan& plan) {
  const auto& directory = plan.directory;
  if (!fs::exists(directory)) return {};
  if (!fs::is_directory(directory))
    throw ConfigurationError("'{}' is a file; a sweep needs a directory: give sweep.directory or -o another name",
                             directory.string());
  if (!fs::exists(plan_path(directory))) {
    if (fs::is_empty(directory)) return {};
    throw ConfigurationError(
        "'{}' is not empty and holds no sweep; give sweep.directory or -o the name of a new directory",
        directory.string());
  }
  Plan earlier;
  try {
    earlier = read_plan(directory);
  } catch (const InputOutputError& damage) {
    return damage.what();
  }
  if (earlier.source != plan.source && !share_a_case(earlier, plan))
    throw ConfigurationError(
        "'{}' is the directory of another sweep, made from {}, with no case in common with {}; give sweep.directory or "
        "-o another name",
        directory.string(), earlier.source.string(), plan.source.string());
  return {};
}

std::string write_plan(const Plan& plan) {
  auto damage = require_own_directory(plan);
  const auto file = plan_path(plan.directory);
  const auto text = text_of(plan);
  if (fs::exists(file) && read_text(file) == text) return damage;
  std::error_code failed;
  fs::create_directories(plan.directory, failed);
  const auto aside = plan.directory / fmt::format("plan.{}.partial", ::getpid());
  std::ofstream stream(aside, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw InputOutputError("cannot write '{}'; check space and permissions", aside.string());
  io::sync_to_disk(aside);
  io::replace_file(aside, file);
  return damage;
}

std::string contradiction_on_disk(const Plan& plan) {
  Plan now;
  try {
    now = read_plan(plan.directory);
  } catch (const Error&) {
    return {};
  }
  std::unordered_map<std::string, int> ranks;
  for (const auto& one : now.cases) ranks.emplace(one.id, one.ranks);
  for (const auto& one : plan.cases) {
    const auto found = ranks.find(one.id);
    if (found == ranks.end())
      return fmt::format("{} was planned anew meanwhile, from {}, without case {}", plan.directory.string(),
                         now.source.string(), one.id);
    if (found->second != one.ranks && found->second != ranks_to_measure)
      return fmt::format("{} was planned anew meanwhile, from {}, with {} ranks instead of {} for case {}",
                         plan.directory.string(), now.source.string(), found->second, one.ranks, one.id);
  }
  return {};
}

}  // namespace rankflow::sweep
