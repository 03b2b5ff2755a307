#include "arguments.hpp"

#include "config/evaluate_options.hpp"
#include "config/fixed_points_options.hpp"
#include "config/generate_options.hpp"
#include "config/import_options.hpp"
#include "config/load.hpp"
#include "config/simulate_options.hpp"

namespace rankflow::drivers {
namespace {

/// The tables that only `generate network` has: its [network] is that of a simulation.
std::string network_reference() {
  auto tables = config::list_tables<config::GenerateNetworkOptions>();
  std::erase_if(tables, [](const config::TableListing& table) { return table.name.starts_with("network"); });
  return config::markdown(tables, "Configuration of `generate network`") +
         "\nIts table `network` has the keys of `network` above, but for `bulk`.\n";
}

}  // namespace

ExitCode reference(const Surroundings& surroundings) {
  surroundings.console.print(
      config::reference_markdown<config::SimulateOptions>("Configuration of `simulate` and `generate recording`") +
      "\n" + network_reference() + "\n" +
      config::reference_markdown<config::ImportRecordingOptions>("Configuration of `import recording`") + "\n" +
      config::reference_markdown<config::EvaluateRunOptions>("Configuration of `evaluate` (by `--set`)") + "\n" +
      config::reference_markdown<config::AnalyzeFixedPointsOptions>(
          "Configuration of `analyze fixed-points` (by `--set`)"));
  return ExitCode::done;
}

}  // namespace rankflow::drivers
