#include "arguments.hpp"

#include "config/compare_options.hpp"
#include "config/evaluate_options.hpp"
#include "config/filter_options.hpp"
#include "config/fit_flow_options.hpp"
#include "config/fit_vsmc_options.hpp"
#include "config/fixed_points_options.hpp"
#include "config/generate_options.hpp"
#include "config/identifiability_options.hpp"
#include "config/import_options.hpp"
#include "config/load.hpp"
#include "config/populations_options.hpp"
#include "config/sample_options.hpp"
#include "config/simulate_options.hpp"
#include "config/sweep_options.hpp"

namespace rankflow::drivers {
namespace {

/// The tables that only `generate network` has: its [network] is that of a simulation.
std::string network_reference() {
  auto tables = config::list_tables<config::GenerateNetworkOptions>();
  std::erase_if(tables, [](const config::TableListing& table) { return table.name.starts_with("network"); });
  return config::markdown(tables, "Configuration of `generate network`") +
         "\nIts table `network` has the keys of `network` above, but for `bulk`.\n";
}

/// Tables of `fit flow`; [network] and [[inputs]] are those of a simulation.
std::string flow_reference() {
  auto tables = config::list_tables<config::FitFlowOptions>();
  std::erase_if(tables, [](const config::TableListing& table) {
    return table.name.starts_with("network") || table.name.starts_with("inputs");
  });
  return config::markdown(tables, "Configuration of `fit flow`") +
         "\nIts tables `network` (but for `bulk`) and `inputs` have the keys of `simulate`.\n";
}

/// The table that only `sample` has.
std::string sample_reference() {
  auto tables = config::list_tables<config::SampleOptions>();
  std::erase_if(tables, [](const config::TableListing& table) { return table.name != "sample"; });
  return config::markdown(tables, "Configuration of `sample` (by `--set`)") +
         "\nIts tables `sampler` and `ridge` have the keys of `fit flow`; what is not said is as in the fit.\n";
}

/// The table that only `filter` has.
std::string filter_reference() {
  auto tables = config::list_tables<config::FilterOptions>();
  std::erase_if(tables, [](const config::TableListing& table) { return table.name != "filter"; });
  return config::markdown(tables, "Configuration of `filter` (by `--set`)") +
         "\nIts tables `data` and `smc` have the keys of `fit vsmc`; what is not said is as in the fit.\n";
}

}  // namespace

ExitCode reference(const Surroundings& surroundings) {
  surroundings.console.print(
      config::reference_markdown<config::SimulateOptions>("Configuration of `simulate` and `generate recording`") +
      "\n" + network_reference() + "\n" +
      config::reference_markdown<config::ImportRecordingOptions>("Configuration of `import recording`") + "\n" +
      config::reference_markdown<config::FitVsmcOptions>("Configuration of `fit vsmc`") + "\n" + filter_reference() +
      "\n" + flow_reference() + "\n" + sample_reference() + "\n" +
      config::reference_markdown<config::EvaluateRunOptions>("Configuration of `evaluate` (by `--set`)") + "\n" +
      config::reference_markdown<config::AnalyzeFixedPointsOptions>(
          "Configuration of `analyze fixed-points` (by `--set`)") +
      "\n" +
      config::reference_markdown<config::AnalyzeIdentifiabilityOptions>(
          "Configuration of `analyze identifiability` (by `--set`)") +
      "\n" +
      config::reference_markdown<config::AnalyzePopulationsOptions>(
          "Configuration of `analyze populations` (by `--set`)") +
      "\n" + config::reference_markdown<config::CompareNetworksOptions>("Configuration of `compare` (by `--set`)") +
      "\n" + config::reference_markdown<config::SweepOptions>("Configuration of sweeps"));
  return ExitCode::done;
}

}  // namespace rankflow::drivers
