#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "arguments.hpp"
#include "sweep/ledger.hpp"
#include "sweep/make_plan.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/texts.hpp"
#include "sweep_size.hpp"

namespace rankflow::drivers {
namespace {

constexpr std::size_t most_looked_at = 32;
constexpr std::size_t most_values = 8;
constexpr std::size_t most_rows = 20;

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// "3 values: 1, 2, 3"
std::string values_text(const sweep::Plan& plan, const std::string& key) {
  std::vector<std::string> values;
  for (const auto& one : plan.cases)
    if (auto value = sweep::varied_value(one, key); std::ranges::find(values, value) == values.end())
      values.push_back(std::move(value));
  const auto total = values.size();
  const bool all = total <= most_values;
  if (!all) values.resize(most_values);
  return fmt::format("{}: {}{}", counted(total, "value"), fmt::join(values, ", "), all ? "" : ", …");
}

std::string varied_lines(const sweep::Planned& planned) {
  const auto keys = sweep::varied_keys(planned.plan);
  if (keys.empty()) return "nothing varies but the seed\n";
  std::vector<std::vector<std::string>> rows;
  rows.reserve(keys.size());
  for (const auto& key : keys) rows.push_back({"  " + key, values_text(planned.plan, key)});
  return "what differs:\n" + sweep::aligned(rows);
}

std::string done_text(const sweep::Plan& plan) {
  if (!std::filesystem::exists(sweep::plan_path(plan.directory))) return "not begun";
  const auto known = sweep::Ledger(plan.directory).survey();
  const auto done = std::ranges::count_if(plan.cases, [&](const sweep::Case& one) {
    const auto found = known.find(one.id);
    return found != known.end() && found->second.done;
  });
  return fmt::format("{} of its {} over", done, counted(plan.cases.size(), "case"));
}

std::string ranks_text(const sweep::Plan& plan) {
  std::set<int> numbers;
  for (const auto& one : plan.cases)
    if (one.ranks != sweep::ranks_to_measure) numbers.insert(one.ranks);
  auto text = fmt::format("{}", fmt::join(numbers, " or "));
  if (!sweep::asks_for_measurement(plan)) return text;
  const auto measured = sweep::text_of_record(plan.directory);
  if (!text.empty()) text += " or ";
  return text + (measured.value_or("as measured before the first case runs"));
}

std::string size_text(const sweep::Planned& planned) {
  const auto size = size_of(planned.plan, planned.settings, most_looked_at);
  const auto basis = size.looked_at < planned.settings
                         ? fmt::format(" (from {} of {} settings)", size.looked_at, planned.settings)
                         : std::string();
  return fmt::format("memory of a case: at most {}\nresult files: at most {} each, about {} in all{}\n",
                     bytes_text(static_cast<double>(size.memory)), bytes_text(static_cast<double>(size.largest_file)),
                     bytes_text(size.all_files), basis);
}

std::string table_text(const sweep::Plan& plan) {
  const auto keys = sweep::varied_keys(plan);
  std::vector<std::vector<std::string>> rows{{"case"}};
  rows[0].insert(rows[0].end(), keys.begin(), keys.end());
  rows[0].emplace_back("seed");
  for (std::size_t i = 0; i < std::min(plan.cases.size(), most_rows); ++i) {
    const auto& one = plan.cases[i];
    auto& row = rows.emplace_back(std::vector<std::string>{one.id});
    for (const auto& key : keys) row.push_back(sweep::varied_value(one, key));
    row.push_back(std::to_string(one.seed));
  }
  auto text = sweep::aligned(rows);
  if (plan.cases.size() > most_rows) text += fmt::format("… {} more\n", plan.cases.size() - most_rows);
  return text;
}

}  // namespace

ExitCode sweep_plan(const Arguments& arguments, const Surroundings& surroundings) {
  const auto planned = sweep::plan_sweep(arguments.input, arguments.sets, arguments.output);
  const auto& plan = planned.plan;
  if (const auto damage = sweep::require_own_directory(plan); !damage.empty())
    surroundings.console.warn("{}, as 'sweep run' does", damage);
  const auto seeds = plan.cases.size() / planned.settings;
  std::string text = fmt::format("{} of '{}': {} × {}", counted(plan.cases.size(), "case"), plan.cases.front().driver,
                                 counted(planned.settings, "setting"), counted(seeds, "seed"));
  if (planned.excluded > 0) text += fmt::format("; {} left out by constraints", counted(planned.excluded, "setting"));
  text += "\n" + varied_lines(planned);
  text += plan.metric.empty()
              ? std::string("not ranked: no sweep.metric\n")
              : fmt::format("ranked by {}, {} is better\n", plan.metric, plan.maximise ? "larger" : "smaller");
  text += fmt::format("ranks of a case: {}\n", ranks_text(plan)) + size_text(planned);
  text += fmt::format("directory: {} ({})\n\n", plan.directory.string(), done_text(plan)) + table_text(plan);
  for (const auto& note : planned.notes) surroundings.console.warn("{}", note);
  surroundings.console.print(text);
  return ExitCode::done;
}

}  // namespace rankflow::drivers
