#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace rankflow::sweep {

/// A figure of a result by which cases can be ranked.
struct MetricListing {
  std::string name;
  std::string meaning;
};
/// What read_metrics gives for results of a fit, of flows, of a run and of a recording.
const std::vector<MetricListing>& fit_metrics();
const std::vector<MetricListing>& flow_metrics();
const std::vector<MetricListing>& run_metrics();
const std::vector<MetricListing>& recording_metrics();

/// The figures of a complete result file: those of the lists above that it has, and for runs and recordings the
/// integrator's counters, summed over trials, as integrator_<name>. Called on one rank. Throws InputDataError and
/// InputOutputError.
std::map<std::string, double> read_metrics(const std::filesystem::path& result);

}  // namespace rankflow::sweep
