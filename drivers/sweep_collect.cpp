#include <algorithm>
#include <fstream>

#include "arguments.hpp"
#include "io/file_system.hpp"
#include "io/provenance.hpp"
#include "sweep/case_session.hpp"
#include "sweep/curve.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/progress.hpp"
#include "sweep/result_table.hpp"
#include "sweep/texts.hpp"

namespace rankflow::drivers {
namespace {

constexpr std::size_t most_ranked = 10;

void write_text(const std::filesystem::path& path, const std::string& text) {
  const auto aside = io::temporary_name(path);
  std::ofstream stream(aside, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw InputOutputError("cannot write '{}'; check space and permissions", path.string());
  io::replace_file(aside, path);
}

std::string ranking_text(const sweep::Plan& plan, const std::vector<sweep::Ranked>& ranked) {
  const auto keys = sweep::varied_keys(plan);
  std::vector<std::vector<std::string>> rows{{"place", plan.metric, "seeds"}};
  rows[0].insert(rows[0].end(), keys.begin(), keys.end());
  for (std::size_t i = 0; i < std::min(ranked.size(), most_ranked); ++i) {
    const auto& entry = ranked[i];
    const auto spread = entry.values > 1 ? fmt::format(" ± {:.2g}", entry.spread) : std::string();
    auto& row =
        rows.emplace_back(std::vector<std::string>{std::to_string(i + 1), fmt::format("{:.6g}{}", entry.mean, spread),
                                                   fmt::format("{} of {}", entry.values, entry.cases)});
    for (const auto& key : keys) row.push_back(sweep::varied_value(plan.cases[entry.first_case], key));
  }
  auto text = sweep::aligned(rows);
  if (ranked.size() > most_ranked) text += fmt::format("… {} more\n", ranked.size() - most_ranked);
  return text;
}

std::string curve_text(const sweep::Plan& plan, const sweep::Ranked& best) {
  const auto& one = plan.cases[best.best_case];
  const auto curve = sweep::read_curve(sweep::case_folder(plan.directory, one.id) / "result.h5");
  const auto plot = sweep::plot_text(curve.values, "epoch");
  if (plot.empty()) return {};
  return fmt::format("\n{} of the best case, {} ({}):\n{}", curve.name, one.id, sweep::description_of(one), plot);
}

/// A name typed wrong must not cost a recording or a fit.
void require_own_target(const parallel::Communicator& comm, const std::filesystem::path& path) {
  if (path.extension() == ".csv")
    throw ConfigurationError("'{}': the table is written as HDF5 with a CSV of the same name beside it; give -o {}",
                             path.string(), std::filesystem::path(path).replace_extension(".h5").string());
  if (!std::filesystem::exists(path)) return;
  try {
    io::require_file_type(io::File::open(comm, path), io::FileType::sweep);
  } catch (const Error& error) {
    throw ConfigurationError("what is there is no table of a sweep and is not replaced: {}; give -o another name",
                             error.what());
  }
}

/// Which the results do not depend on: a damaged record is no obstacle.
void set_recorded_ranks(sweep::Plan& plan, Console& console) {
  if (!sweep::asks_for_measurement(plan)) return;
  try {
    if (const auto measured = sweep::read_measured_ranks(plan.directory))
      sweep::set_measured_ranks(plan, measured->ranks);
  } catch (const InputOutputError& error) {
    console.warn("{}", error.what());
  }
}

}  // namespace

ExitCode sweep_collect(const Arguments& arguments, const Surroundings& surroundings) {
  if (surroundings.comm.size() > 1)
    throw ConfigurationError("sweep collect reads small records and takes one process; run it without mpirun or srun");
  auto plan = sweep::read_plan(arguments.input);
  set_recorded_ranks(plan, surroundings.console);
  const auto results = sweep::Results(plan).look();
  const auto ranked = plan.metric.empty() ? std::vector<sweep::Ranked>() : sweep::ranking(plan, results);
  const auto cases = sweep::table_of(plan, results);
  const auto output =
      arguments.output.empty() ? plan.directory / "results.h5" : std::filesystem::path(arguments.output);
  require_own_target(surroundings.comm, output);
  const auto csv = std::filesystem::path(output).replace_extension(".csv");
  sweep::write_results(surroundings.comm, output, plan, cases, sweep::table_of(plan, ranked));
  write_text(csv, sweep::csv_text(cases));
  const auto done = std::ranges::count_if(results, &sweep::CaseResult::done);
  auto text = fmt::format("{} of {} cases done\n", done, results.size());
  if (!ranked.empty()) text += "\n" + ranking_text(plan, ranked) + curve_text(plan, ranked.front());
  if (const auto failures = sweep::failures_text(plan, results); !failures.empty())
    text += "\nwithout a result:\n" + failures;
  surroundings.console.print(text);
  surroundings.console.info("wrote {} and {}", output.string(), csv.string());
  return ExitCode::done;
}

}  // namespace rankflow::drivers
