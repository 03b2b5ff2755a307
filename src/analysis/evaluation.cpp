#include "analysis/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/correlations.hpp"
#include "analysis/evaluation_collector.hpp"
#include "analysis/power_spectrum.hpp"
#include "analysis/smoothing.hpp"
#include "analysis/spike_statistics.hpp"
#include "analysis/state_divergence.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using config::EvaluateOptions;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Mean over the entries that exist.
double mean_of(const std::vector<double>& values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    count += 1;
  }
  return count > 0 ? sum / count : unknown;
}

std::vector<double> times(std::vector<double> values, double factor) {
  for (auto& value : values) value *= factor;
  return values;
}

/// Data and what is compared with them.
struct Sides {
  Series data;
  Series generated;
};

/// What all series of one evaluation share.
struct Setting {
  const EvaluateOptions& options;
  double bin_width;             ///< s
  PowerSpectrum data_spectrum;  ///< of as many steps as both sides have
  const parallel::Communicator& comm;
};

void add_spectra(const Series& generated_series, const Setting& setting, Collector& collector) {
  const auto& data = setting.data_spectrum;
  const auto generated = power_spectrum(between(generated_series, 0, data.length), setting.options.spectrum_smoothing);
  collector.number({"spectrum_distance", "1", "Hellinger distance of power spectra, mean over channels"},
                   mean_of(hellinger_distances(data, generated)));
  collector.profile({.name = "spectrum",
                     .unit = "1",
                     .text = "normalised power",
                     .dimensions = {"channel", "frequency"},
                     .shape = {data.channels, data.bins},
                     .data = data.density,
                     .generated = generated.density});
}

void add_correlations(const Sides& sides, Collector& collector) {
  const auto data = correlation_matrix(sides.data), generated = correlation_matrix(sides.generated);
  const auto found = agreement(above_diagonal(data), above_diagonal(generated));
  collector.number({"pairwise_correlation", "1", "pairwise correlations: correlation between data and model"},
                   found.correlation);
  collector.number({"pairwise_rmse", "1", "pairwise correlations: root mean squared difference"}, found.rmse);
  collector.profile({.name = "correlation",
                     .unit = "1",
                     .text = "Pearson correlation",
                     .dimensions = {"channel", "other_channel"},
                     .shape = {sides.data.channels, sides.data.channels},
                     .data = data,
                     .generated = generated});
}

void add_divergence(const Sides& scaled, const Setting& setting, std::uint32_t number, Collector& collector) {
  const auto found = state_divergence(scaled.data, scaled.generated,
                                      {.samples = setting.options.samples,
                                       .bandwidth = setting.options.kernel_std,
                                       .seed = static_cast<std::uint64_t>(setting.options.seed),
                                       .comparison = number},
                                      setting.comm);
  collector.number({"state_divergence", "nat", "KL divergence of states, as published"}, found.published);
  collector.number({"state_divergence_error", "nat", "its Monte Carlo standard error"}, found.published_error);
  collector.number({"state_divergence_complete", "nat", "KL divergence of states over all Monte Carlo points"},
                   found.complete);
  collector.number({"state_divergence_underflows", "1", "points that the published estimate leaves out"},
                   static_cast<double>(found.underflows));
}

void add_moments(const Sides& raw, Collector& collector) {
  const auto data = moments(raw.data), generated = moments(raw.generated);
  std::vector<double> shift;  // in standard deviations, because data are often centred
  for (std::size_t channel = 0; channel < data.mean.size(); ++channel)
    shift.push_back(data.varies(channel) ? (generated.mean[channel] - data.mean[channel]) / data.sd[channel] : unknown);
  for (auto& value : shift) value *= value;
  collector.number({"mean_error", "1", "error of the means in the data's standard deviations, root mean square"},
                   std::sqrt(mean_of(shift)));
  collector.channels({"mean", "1", "mean"}, data.mean, generated.mean);
  collector.number({"sd_error", "1", "standard deviations: relative error over channels"},
                   agreement(data.sd, generated.sd).relative);
  collector.channels({"sd", "1", "standard deviation"}, data.sd, generated.sd);
}

void add_spike_statistics(const Sides& raw, double bin_width, Collector& collector) {
  const auto data = spike_statistics(raw.data), generated = spike_statistics(raw.generated);
  collector.compared_channels({"rate", "Hz", "mean rate"}, times(data.mean, 1 / bin_width),
                              times(generated.mean, 1 / bin_width));
  collector.compared_channels({"interval_mean", "s", "mean inter-spike interval"}, times(data.interval_mean, bin_width),
                              times(generated.interval_mean, bin_width));
  collector.compared_channels({"interval_cv", "1", "variation of inter-spike intervals"}, data.interval_cv,
                              generated.interval_cv);
  collector.compared_channels({"fano", "1", "Fano factor of counts"}, data.fano, generated.fano);
}

void add_population(const Sides& raw, Collector& collector) {
  const auto data = population_statistics(raw.data), generated = population_statistics(raw.generated);
  collector.number({"population_mean_ratio", "1", "spikes of all channels per bin: mean, model / data"},
                   generated.mean / data.mean);
  collector.number({"population_sd_ratio", "1", "spikes of all channels per bin: standard deviation, model / data"},
                   generated.sd / data.sd);
  collector.number({"silent_bins", "1", "share of bins without any spike, model − data"},
                   generated.silent - data.silent);
}

/// Rows that the data lack are missing in the generated series too, when both have the same shape of trials.
Series without_unobserved(Series generated, const Series& data) {
  if (generated.times != data.times || (data.trials != 1 && generated.trials != data.trials)) return generated;
  const auto width = static_cast<std::size_t>(data.channels);
  for (std::int64_t trial = 0; trial < generated.trials; ++trial)
    for (std::int64_t time = 0; time < data.times; ++time) {
      const double* row = data.values.data() + data.row(data.trials == 1 ? 0 : trial, time);
      if (std::all_of(row, row + width, [](double value) { return std::isnan(value); }))
        std::fill_n(generated.values.data() + generated.row(trial, time), width, unknown);
    }
  return generated;
}

void require_variation(const Series& series, const char* which) {
  const auto found = moments(series);
  for (std::size_t channel = 0; channel < found.sd.size(); ++channel)
    if (!found.varies(channel))
      throw InputDataError(
          "channel {} of the {} is constant or never observed, so it has no z-score; leave it out by "
          "data.exclude_channels, or set evaluate.scaling = \"none\"",
          channel, which);
}

Sides scaled(const Sides& sides, config::Scaling scaling) {
  if (scaling == config::Scaling::none) return sides;
  require_variation(sides.data, "data");
  const auto of_data = moments(sides.data);
  if (scaling == config::Scaling::data)
    return {standardise(sides.data, of_data), standardise(sides.generated, of_data)};
  require_variation(sides.generated, "generated series");
  return {standardise(sides.data, of_data), standardise(sides.generated, moments(sides.generated))};
}

void compare_values(const Sides& raw, const Setting& setting, std::uint32_t number, Collector& collector) {
  Sides shaped = raw;
  if (setting.options.smoothing == config::GeneratedSmoothing::hann15)
    shaped.generated = smooth(raw.generated, hann_window(15), Edge::mirror);
  shaped.generated = without_unobserved(std::move(shaped.generated), raw.data);
  add_divergence(scaled(shaped, setting.options.scaling), setting, number, collector);
  add_spectra(shaped.generated, setting, collector);
  add_correlations(shaped, collector);
  add_moments({raw.data, without_unobserved(raw.generated, raw.data)}, collector);
}

void compare_counts(Sides raw, const Setting& setting, Collector& collector) {
  raw.generated = without_unobserved(std::move(raw.generated), raw.data);
  add_spike_statistics(raw, setting.bin_width, collector);
  add_correlations(raw, collector);
  add_population(raw, collector);
  add_spectra(raw.generated, setting, collector);
}

void require_comparable(const Comparison& comparison, const EvaluateOptions& options) {
  if (comparison.data.channels != comparison.generated.channels)
    throw InputDataError(
        "the data have {} channel(s), the generated series {}; choose the channels that were fitted by data.channels "
        "or data.exclude_channels",
        comparison.data.channels, comparison.generated.channels);
  if (comparison.generated.times - options.discard < 2)
    throw ConfigurationError("evaluate.discard is {} and the generated trials have {} steps; at least 2 must be left",
                             options.discard, comparison.generated.times);
  if (comparison.data.times < 2) throw InputDataError("trials of the data have a single sample; 2 are needed at least");
}

std::vector<std::string> notes_of(const Comparison& comparison) {
  const auto data = comparison.data.times, generated = comparison.generated.times;
  if (data == generated) return {};
  return {
      fmt::format("trials have {} steps in the data and {} in the generated series: spectra are those of the first "
                  "{}",
                  data, generated, std::min(data, generated))};
}

}  // namespace

Evaluation evaluate(Comparison comparison, const EvaluateOptions& options, const parallel::Communicator& comm) {
  require_comparable(comparison, options);
  if (options.discard > 0)
    comparison.generated = between(comparison.generated, options.discard, comparison.generated.times);
  const auto& [data, generated, kind, bin_width] = comparison;
  const bool each = options.trials == config::TrialComparison::each ||
                    (options.trials == config::TrialComparison::automatic && data.trials == 1);
  const auto length = std::min(data.times, generated.times);
  const Setting setting{.options = options,
                        .bin_width = bin_width,
                        .data_spectrum = power_spectrum(between(data, 0, length), options.spectrum_smoothing),
                        .comm = comm};
  Evaluation evaluation{.kind = kind, .series = each ? generated.trials : 1, .trials = generated.trials};
  evaluation.notes = notes_of(comparison);
  for (std::int64_t bin = 0; bin < setting.data_spectrum.bins; ++bin)
    evaluation.frequency.push_back(static_cast<double>(bin) / (static_cast<double>(length) * bin_width));
  Collector collector(evaluation);
  for (std::int64_t series = 0; series < evaluation.series; ++series) {
    collector.next_series();
    const Sides sides{data, each ? one_trial(generated, series) : generated};
    if (kind == config::ObservationKind::poisson) {
      compare_counts(sides, setting, collector);
    } else {
      compare_values(sides, setting, static_cast<std::uint32_t>(series), collector);
    }
  }
  return evaluation;
}

}  // namespace rankflow::analysis
