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

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Mean over the entries that exist.
double mean_of(const std::vector<double>& values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    count += 1;
  }
  return count > 0 ? sum / count : not_a_number;
}

std::vector<double> times(std::vector<double> values, double factor) {
  for (auto& value : values) value *= factor;
  return values;
}

/// The series of both sides in the forms that statistics need.
struct Sides {
  Series data;
  Series generated;
};

void add_spectra(const Sides& sides, const EvaluateOptions& options, double bin_width, Evaluation& evaluation,
                 Collector& collector) {
  const auto length = std::min(sides.data.times, sides.generated.times);
  const auto data = power_spectrum(between(sides.data, 0, length), options.spectrum_smoothing);
  const auto generated = power_spectrum(between(sides.generated, 0, length), options.spectrum_smoothing);
  const auto distances = hellinger_distances(data, generated);
  collector.number({"spectrum_distance", "1", "Hellinger distance of power spectra, mean over channels"},
                   mean_of(distances));
  collector.profile({.name = "spectrum",
                     .unit = "1",
                     .text = "normalised power",
                     .dimensions = {"channel", "frequency"},
                     .shape = {data.channels, data.bins},
                     .data = data.density,
                     .generated = generated.density});
  evaluation.frequency.clear();
  for (std::int64_t bin = 0; bin < data.bins; ++bin)
    evaluation.frequency.push_back(static_cast<double>(bin) / (static_cast<double>(length) * bin_width));
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

void add_divergence(const Sides& scaled, const EvaluateOptions& options, std::uint32_t number,
                    const parallel::Communicator& comm, Collector& collector) {
  const auto found = state_divergence(scaled.data, scaled.generated,
                                      {.samples = options.samples,
                                       .bandwidth = options.kernel_std,
                                       .seed = static_cast<std::uint64_t>(options.seed),
                                       .comparison = number},
                                      comm);
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
    shift.push_back(data.varies(channel) ? (generated.mean[channel] - data.mean[channel]) / data.sd[channel]
                                         : not_a_number);
  for (auto& value : shift) value *= value;
  collector.number({"mean_error", "1", "error of the means in the data's standard deviations, root mean square"},
                   std::sqrt(mean_of(shift)));
  collector.profile({.name = "mean",
                     .unit = "1",
                     .text = "mean",
                     .dimensions = {"channel"},
                     .shape = {raw.data.channels},
                     .data = data.mean,
                     .generated = generated.mean});
  collector.per_channel({"sd", "1", "standard deviation"}, data.sd, generated.sd);
}

void add_spike_statistics(const Sides& raw, double bin_width, Collector& collector) {
  const auto data = spike_statistics(raw.data), generated = spike_statistics(raw.generated);
  collector.per_channel({"rate", "Hz", "mean rate"}, times(data.mean, 1 / bin_width),
                        times(generated.mean, 1 / bin_width));
  collector.per_channel({"interval_mean", "s", "mean inter-spike interval"}, times(data.interval_mean, bin_width),
                        times(generated.interval_mean, bin_width));
  collector.per_channel({"interval_cv", "1", "variation of inter-spike intervals"}, data.interval_cv,
                        generated.interval_cv);
  collector.per_channel({"fano", "1", "Fano factor of counts"}, data.fano, generated.fano);
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
        std::fill_n(generated.values.data() + generated.row(trial, time), width, not_a_number);
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

void compare_values(const Sides& raw, const EvaluateOptions& options, std::uint32_t number, Evaluation& evaluation,
                    const parallel::Communicator& comm, Collector& collector) {
  Sides shaped = raw;
  if (options.smoothing == config::GeneratedSmoothing::hann15)
    shaped.generated = smooth(raw.generated, hann_window(15), Edge::mirror);
  shaped.generated = without_unobserved(std::move(shaped.generated), raw.data);
  add_divergence(scaled(shaped, options.scaling), options, number, comm, collector);
  add_spectra(shaped, options, evaluation.bin_width, evaluation, collector);
  add_correlations(shaped, collector);
  add_moments({raw.data, without_unobserved(raw.generated, raw.data)}, collector);
}

void compare_counts(Sides raw, const EvaluateOptions& options, Evaluation& evaluation, Collector& collector) {
  raw.generated = without_unobserved(std::move(raw.generated), raw.data);
  add_spike_statistics(raw, evaluation.bin_width, collector);
  add_correlations(raw, collector);
  add_population(raw, collector);
  add_spectra(raw, options, evaluation.bin_width, evaluation, collector);
}

void require_comparable(const Comparison& comparison, const EvaluateOptions& options) {
  if (comparison.data.channels != comparison.generated.channels)
    throw InputDataError(
        "the data have {} channel(s), the generated series {}; choose the channels that were fitted by data.channels "
        "or data.exclude_channels",
        comparison.data.channels, comparison.generated.channels);
  if (options.discard >= comparison.generated.times)
    throw ConfigurationError("evaluate.discard is {}, but the generated trials have {} steps; nothing is left",
                             options.discard, comparison.generated.times);
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
  const bool each = options.trials == config::TrialComparison::each ||
                    (options.trials == config::TrialComparison::automatic && comparison.data.trials == 1);
  Evaluation evaluation{.kind = comparison.kind,
                        .series = each ? comparison.generated.trials : 1,
                        .trials = comparison.generated.trials,
                        .bin_width = comparison.bin_width,
                        .notes = notes_of(comparison)};
  Collector collector(evaluation);
  Sides sides{std::move(comparison.data), {}};
  for (std::int64_t series = 0; series < evaluation.series; ++series) {
    collector.next_series();
    sides.generated = each ? one_trial(comparison.generated, series) : comparison.generated;
    if (comparison.kind == config::ObservationKind::poisson) {
      compare_counts(sides, options, evaluation, collector);
    } else {
      compare_values(sides, options, static_cast<std::uint32_t>(series), evaluation, comm, collector);
    }
  }
  return evaluation;
}

}  // namespace rankflow::analysis
