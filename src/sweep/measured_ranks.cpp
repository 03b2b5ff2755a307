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

std::optional<MeasuredRanks> read_record(const std::filesystem::path& file) {
  const auto found = SharedFolder(file.parent_path()).read(file.filename().string());
  if (!found) return std::nullopt;
  const MeasuredRanksReader record(found->text, file);
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

std::optional<MeasuredRanks> read_measured_ranks(const std::filesystem::path& sweep) {
  return read_record(measured_ranks_path(sweep));
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

std::optional<std::string> text_of_record(const std::filesystem::path& sweep) {
  try {
    const auto record = read_measured_ranks(sweep);
    return record ? std::optional(text_of(*record)) : std::nullopt;
  } catch (const InputOutputError& error) {
    return fmt::format("unknown: {}", error.what());
  }
}

std::string doubt_about(const MeasuredRanks& measured, const GroupDemand& now) {
  const auto& then = measured.demand;
  const bool more_to_try = next_group_size(now, measured.speeds) && !next_group_size(then, measured.speeds);
  if (!more_to_try && best_group_size(now, measured.speeds) == best_group_size(then, measured.speeds)) return {};
  const auto said = [](const GroupDemand& demand) {
    return fmt::format("{} {} on {} {}", demand.cases, demand.cases == 1 ? "case" : "cases", demand.processors,
                       demand.processors == 1 ? "processor" : "processors");
  };
  return fmt::format("how many ranks a case has was measured for {}, and another number may be faster for {}",
                     said(then), said(now));
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
