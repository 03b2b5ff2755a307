#include "sweep/result_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "io/output_file.hpp"
#include "sweep/key_tables.hpp"
#include "sweep/texts.hpp"

namespace rankflow::sweep {
namespace {

using Texts = std::vector<std::string>;

/// Values of a varied key: integers or reals when all are, else texts without their quotes.
Column varied_column(const Plan& plan, const std::string& key, const std::vector<std::size_t>& cases) {
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  Texts texts;
  bool all_integers = true, all_reals = true;
  for (const auto index : cases) {
    const auto text = varied_value(plan.cases[index], key);
    const auto value = text == "-" ? std::nullopt : config::parse_value(text);
    const auto* integer = value ? value->as<std::int64_t>() : nullptr;
    const auto* words = value ? value->as<std::string>() : nullptr;
    const auto number = value ? number_of(*value) : std::nullopt;
    all_integers = all_integers && integer != nullptr;
    all_reals = all_reals && (number || !value);
    integers.push_back(integer != nullptr ? *integer : 0);
    reals.push_back(number.value_or(std::numeric_limits<double>::quiet_NaN()));
    texts.push_back(words != nullptr ? *words : value ? text : "");
  }
  if (all_integers) return {key, std::move(integers)};
  if (all_reals) return {key, std::move(reals)};
  return {key, std::move(texts)};
}

template <class T, class Function>
Column column(std::string name, std::size_t rows, bool repeatable, const Function& value) {
  std::vector<T> values;
  values.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) values.push_back(static_cast<T>(value(i)));
  return {std::move(name), std::move(values), repeatable};
}

std::string status_of(const CaseResult& result) {
  if (result.outcome) return name_of(result.outcome->status);
  return result.stage == Stage::running ? "running" : "waiting";
}

std::string result_of(const Plan& plan, std::size_t index) {
  const auto path = case_folder("", plan.cases[index].id) / "result.h5";
  return std::filesystem::exists(plan.directory / path) ? path.generic_string() : "";
}

void add_metrics(ResultTable& table, const std::vector<CaseResult>& results) {
  std::set<std::string> names;
  for (const auto& result : results)
    if (result.outcome)
      for (const auto& [name, value] : result.outcome->metrics) names.insert(name);
  for (const auto& name : names)
    table.columns.push_back(column<double>(name, table.rows, name != "wall_seconds", [&](std::size_t i) {
      const auto& outcome = results[i].outcome;
      const auto found = outcome ? outcome->metrics.find(name) : std::map<std::string, double>::const_iterator();
      return outcome && found != outcome->metrics.end() ? found->second : std::numeric_limits<double>::quiet_NaN();
    }));
}

void add_work(ResultTable& table, const Plan& plan, const std::vector<CaseResult>& results) {
  const auto add = [&]<class T>(const char* name, T Outcome::*member, T otherwise) {
    table.columns.push_back(column<T>(name, table.rows, false, [&](std::size_t i) {
      return results[i].outcome ? (*results[i].outcome).*member : otherwise;
    }));
  };
  table.columns.push_back(column<std::int64_t>("ranks", table.rows, false, [&](std::size_t i) {
    return results[i].outcome ? results[i].outcome->ranks : plan.cases[i].ranks;
  }));
  add("seconds", &Outcome::seconds, std::numeric_limits<double>::quiet_NaN());
  add("sessions", &Outcome::sessions, std::int64_t{0});
  add("deaths", &Outcome::deaths, std::int64_t{0});
  add("host", &Outcome::host, std::string());
  add("finished", &Outcome::finished, std::string());
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}
std::string csv_cell(std::int64_t value) {
  return std::to_string(value);
}
std::string csv_cell(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

void write_group(io::File& file, const std::string& group, const std::string& dimension, const ResultTable& table,
                 bool repeatable) {
  std::vector<double> numbers(table.rows);
  for (std::size_t i = 0; i < table.rows; ++i) numbers[i] = static_cast<double>(i);
  const auto axis = group + "/" + dimension;
  file.create_group(group);
  file.create_coordinate(axis, numbers, "1", "row");
  for (const auto& [name, values, lasting] : table.columns) {
    if (lasting != repeatable) continue;
    const auto path = fmt::format("{}/{}", group, name);
    if (const auto* texts = std::get_if<Texts>(&values)) {
      file.write_texts(path, axis, *texts);
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&values)) {
      file.create_dataset({.path = path, .shape = {table.rows}, .dimensions = {dimension}, .type = io::Type::i64});
      file.write_all<std::int64_t>(path, *integers);
    } else {
      file.create_dataset({.path = path, .shape = {table.rows}, .dimensions = {dimension}});
      file.write_all<double>(path, std::get<std::vector<double>>(values));
    }
  }
}

}  // namespace

ResultTable table_of(const Plan& plan, const std::vector<CaseResult>& results) {
  ResultTable table{.rows = plan.cases.size(), .columns = {}};
  const auto add_texts = [&](const char* name, const auto& value) {
    table.columns.push_back(column<std::string>(name, table.rows, true, value));
  };
  std::vector<std::size_t> all(table.rows);
  for (std::size_t i = 0; i < table.rows; ++i) all[i] = i;
  add_texts("id", [&](std::size_t i) { return plan.cases[i].id; });
  add_texts("status", [&](std::size_t i) { return status_of(results[i]); });
  for (const auto& key : varied_keys(plan)) table.columns.push_back(varied_column(plan, key, all));
  table.columns.push_back(
      column<std::int64_t>("seed", table.rows, true, [&](std::size_t i) { return plan.cases[i].seed; }));
  add_metrics(table, results);
  add_texts("result", [&](std::size_t i) { return result_of(plan, i); });
  add_texts("message", [&](std::size_t i) { return results[i].outcome ? results[i].outcome->message : ""; });
  add_work(table, plan, results);
  return table;
}

ResultTable table_of(const Plan& plan, const std::vector<Ranked>& ranked) {
  ResultTable table{.rows = ranked.size(), .columns = {}};
  std::vector<std::size_t> first;
  first.reserve(ranked.size());
  for (const auto& entry : ranked) first.push_back(entry.first_case);
  for (const auto& key : varied_keys(plan)) table.columns.push_back(varied_column(plan, key, first));
  const auto add = [&]<class T>(const std::string& name, T Ranked::*member, auto as) {
    table.columns.push_back(
        column<decltype(as)>(name, table.rows, true, [&](std::size_t i) { return ranked[i].*member; }));
  };
  add(plan.metric + "_mean", &Ranked::mean, double{});
  add(plan.metric + "_spread", &Ranked::spread, double{});
  add("values", &Ranked::values, std::int64_t{});
  add("cases", &Ranked::cases, std::int64_t{});
  return table;
}

std::string csv_text(const ResultTable& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) text += (c > 0 ? "," : "") + csv_cell(table.columns[c].name);
  text += '\n';
  for (std::size_t row = 0; row < table.rows; ++row) {
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      text += (c > 0 ? "," : "") +
              std::visit([&](const auto& values) { return csv_cell(values[row]); }, table.columns[c].values);
    text += '\n';
  }
  return text;
}

void write_results(const parallel::Communicator& comm, const std::filesystem::path& path, const Plan& plan,
                   const ResultTable& cases, const ResultTable& ranking) {
  auto output =
      io::OutputFile::create(comm, path, io::FileType::sweep,
                             {.configuration = "",
                              .seed = 0,
                              .more = {{"directory", plan.directory.string()}, {"sweep", plan.source.string()}}});
  auto& file = output.file();
  write_group(file, "/cases", "case", cases, true);
  write_group(file, "/provenance/cases", "case", cases, false);
  if (!plan.metric.empty()) {
    file.set_attribute("/cases", "metric", plan.metric);
    file.set_attribute("/cases", "direction", std::string(plan.maximise ? "maximise" : "minimise"));
    if (ranking.rows > 0) write_group(file, "/ranking", "place", ranking, true);
  }
  output.finish();
}

}  // namespace rankflow::sweep
