#include "sweep/measured_ranks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "sweep/shared_folder.hpp"

namespace rankflow::sweep {
namespace {

constexpr const char* record_name = "ranks.toml";

std::string record_text(const MeasuredRanks& measured) {
  config::Array sizes;
  config::Array seconds;
  for (const auto& speed : measured.speeds) {
    sizes.push_back({std::int64_t{speed.ranks}});
    seconds.push_back({speed.seconds});
  }
  return "# How many ranks a case has, since the sweep file says \"measured\". Without this file it is measured "
         "again.\n" +
         config::document_toml({config::Table{{"ranks", {std::int64_t{measured.ranks}}},
                                              {"sizes", {sizes}},
                                              {"seconds", {seconds}},
                                              {"cases", {measured.demand.cases}},
                                              {"processors", {std::int64_t{measured.demand.processors}}},
                                              {"workers", {std::int64_t{measured.demand.workers}}},
                                              {"case", {measured.case_id}},
                                              {"host", {measured.host}},
                                              {"finished", {measured.finished}},
                                              {"note", {measured.note}}}});
}

/// Members of a record, which must be what they were written as.
class MeasuredRanksReader {
 public:
  MeasuredRanksReader(const std::string& text, const std::filesystem::path& file) : file_(file) {
    try {
      root_ = config::parse_document(text, file.string());
    } catch (const ConfigurationError&) {
      refuse("it is not valid TOML");
    }
  }

  template <class T>
  const T& get(const char* key) const {
    const auto* value = root_.find(key);
    if (value == nullptr || value->as<T>() == nullptr) refuse(fmt::format("'{}' is missing or of another type", key));
    return *value->as<T>();
  }
  int count(const char* key, std::int64_t least) const {
    const auto number = get<std::int64_t>(key);
    if (number < least || number > std::numeric_limits<int>::max())
      refuse(fmt::format("'{}' = {} must be an integer of at least {}", key, number, least));
    return static_cast<int>(number);
  }
  std::vector<GroupSpeed> speeds() const {
    const auto& sizes = get<config::Array>("sizes");
    const auto& seconds = get<config::Array>("seconds");
    std::vector<GroupSpeed> speeds;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto* size = sizes[i].as<std::int64_t>();
      const auto* time = i < seconds.size() ? seconds[i].as<double>() : nullptr;
      if (size == nullptr || time == nullptr) refuse("'sizes' and 'seconds' do not belong together");
      speeds.push_back({static_cast<int>(*size), *time});
    }
    return speeds;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw InputOutputError("'{}' is damaged: {}; delete it, and the ranks of a case are measured again", file_.string(),
                           what);
  }

  const std::filesystem::path& file_;
  config::Value root_;
};

}  // namespace

std::filesystem::path measured_ranks_path(const std::filesystem::path& sweep) {
  return sweep / record_name;
}

std::optional<MeasuredRanks> read_measured_ranks(const std::filesystem::path& sweep) {
  const auto found = SharedFolder(sweep).read(record_name);
  if (!found) return std::nullopt;
  const auto path = measured_ranks_path(sweep);
  const MeasuredRanksReader record(found->text, path);
  return MeasuredRanks{.ranks = record.count("ranks", 1),
                       .speeds = record.speeds(),
                       .demand = {.cases = record.count("cases", 0),
                                  .processors = record.count("processors", 1),
                                  .workers = record.count("workers", 0)},
                       .case_id = record.get<std::string>("case"),
                       .host = record.get<std::string>("host"),
                       .finished = record.get<std::string>("finished"),
                       .note = record.get<std::string>("note")};
}

bool record_measured_ranks(const std::filesystem::path& sweep, const MeasuredRanks& measured) {
  return SharedFolder(sweep).publish(record_name, record_text(measured));
}

std::string text_of(const MeasuredRanks& measured) {
  std::string speeds;
  for (const auto& speed : measured.speeds)
    speeds += fmt::format("{}{} with {}", speeds.empty() ? ": " : ", ",
                          std::isfinite(speed.seconds) ? duration_text(speed.seconds) : "failed", speed.ranks);
  if (speeds.empty() && measured.note.empty()) speeds = ": more could not be faster";
  return fmt::format("{} (measured for {} {} on {} processors{}){}", measured.ranks, measured.demand.cases,
                     measured.demand.cases == 1 ? "case" : "cases", measured.demand.processors, speeds,
                     measured.note.empty() ? "" : "; " + measured.note);
}

bool asks_for_measurement(const Plan& plan) {
  return std::ranges::any_of(plan.cases, [](const Case& one) { return one.ranks == ranks_to_measure; });
}

void set_measured_ranks(Plan& plan, int ranks) {
  for (auto& one : plan.cases)
    if (one.ranks == ranks_to_measure) one.ranks = ranks;
}

int recorded_ranks(const Plan& plan, int otherwise) {
  if (!asks_for_measurement(plan)) return otherwise;
  if (const auto record = read_measured_ranks(plan.directory)) return record->ranks;
  if (otherwise > 0) return otherwise;
  throw ConfigurationError(
      "sweep.ranks = \"measured\", and nothing was measured in '{}' yet; run 'rankflow sweep measure' on this sweep "
      "where its cases shall run (inside an allocation of SLURM, say), or give a number: sweep.ranks = 1",
      plan.directory.string());
}

}  // namespace rankflow::sweep
