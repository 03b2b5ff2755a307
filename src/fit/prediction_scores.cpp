#include "fit/prediction_scores.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "analysis/prediction.hpp"
#include "analysis/spike_likelihood.hpp"
#include "core/error.hpp"
#include "fit/batches.hpp"
#include "fit/encoder.hpp"
#include "fit/filter_data.hpp"
#include "smc/forecast.hpp"

namespace rankflow::fit {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
/// Trials filtered at a time.
constexpr std::int64_t largest_batch = 16;

/// The forecasts of whole trials, batch by batch.
class Forecasts {
 public:
  Forecasts(const LoadedFit& fit, const DataSet& data, std::vector<std::int64_t> horizons, std::uint64_t seed,
            const parallel::Communicator& comm)
      : fit_(fit),
        data_(data),
        horizons_(std::move(horizons)),
        seed_(seed),
        comm_(comm),
        model_(fit.model.latent),
        batch_(std::min(largest_batch, data.trials), data.times, data),
        filter_(model_, fit.options.smc, comm, batch_.trials(), data.times) {
    if (fit.model.encoder)
      encoder_.emplace(fit.options.encoder, *fit.model.encoder, model_, comm, batch_.trials(), data.times);
  }

  /// [horizon, trial, time, channel] on every rank.
  std::vector<double> all() {
    const auto cells = static_cast<std::size_t>(data_.times * data_.channels);
    std::vector<double> whole(horizons_.size() * static_cast<std::size_t>(data_.trials) * cells, nothing);
    for (std::int64_t first = 0; first < data_.trials; first += batch_.trials()) {
      const auto found = of_batch(first);
      const auto trials = static_cast<std::size_t>(std::min(batch_.trials(), data_.trials - first));
      for (std::size_t h = 0; h < horizons_.size(); ++h)
        std::copy_n(found.begin() + static_cast<std::ptrdiff_t>(h * static_cast<std::size_t>(batch_.trials()) * cells),
                    trials * cells,
                    whole.begin() +
                        static_cast<std::ptrdiff_t>(
                            (h * static_cast<std::size_t>(data_.trials) + static_cast<std::size_t>(first)) * cells));
    }
    return whole;
  }

 private:
  std::vector<double> of_batch(std::int64_t first) {
    std::vector<Stretch> trials;
    for (std::int64_t trial = first; trial < std::min(first + batch_.trials(), data_.trials); ++trial)
      trials.push_back({trial, 0, data_.lengths[static_cast<std::size_t>(trial)]});
    batch_.fill(trials);
    auto data = batch_.filter_data();
    if (encoder_) data.guides = encoder_->guides(fit_.parameters, data, false);
    const smc::FilterRandomness randomness{.seed = seed_,
                                           .iteration = static_cast<std::uint64_t>(first / batch_.trials())};
    smc::Forecaster<double> forecaster(model_, fit_.parameters, data, filter_.layout(), comm_, horizons_, randomness);
    with_context("forecasting " + batch_.describe(), [&] {
      filter_.run(fit_.parameters, data, randomness, [&](const auto& particles) { forecaster.add(particles); });
    });
    return gathered(forecaster.result());
  }

  /// The forecasts of all ranks' trials.
  std::vector<double> gathered(const smc::ObservationForecasts& mine) const {
    const auto& layout = filter_.layout();
    const std::int64_t cells = data_.times * data_.channels;
    std::vector<std::int64_t> counts;
    counts.reserve(static_cast<std::size_t>(layout.ranks()));
    for (int r = 0; r < layout.ranks(); ++r)
      counts.push_back((layout.first_owned_trial(r + 1) - layout.first_owned_trial(r)) * cells);
    const auto own = static_cast<std::size_t>(mine.trials * cells);
    const auto all = static_cast<std::size_t>(batch_.trials() * cells);
    std::vector<double> whole(horizons_.size() * all);
    for (std::size_t h = 0; h < horizons_.size(); ++h)
      comm_.all_gather<double>(std::span(mine.mean).subspan(h * own, own), std::span(whole).subspan(h * all, all),
                               counts);
    return whole;
  }

  const LoadedFit& fit_;
  const DataSet& data_;
  std::vector<std::int64_t> horizons_;
  std::uint64_t seed_;
  const parallel::Communicator& comm_;
  const smc::LatentModel& model_;
  Batch batch_;
  smc::ParticleFilter<double> filter_;
  std::optional<Encoder<double>> encoder_;
};

analysis::Series series_of(const DataSet& data, std::vector<double> values) {
  return {data.trials, data.times, data.channels, std::move(values)};
}

/// Mean count of each channel at every bin.
analysis::Series mean_rates(const DataSet& data) {
  return analysis::constant_rates(data.trials, data.times, measure_channels(data).mean);
}

/// Observations of these columns alone; NaN elsewhere.
std::vector<double> only(const DataSet& data, const std::vector<std::int64_t>& channels) {
  std::vector<double> values(data.observations);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto channel = data.channel_numbers[i % static_cast<std::size_t>(data.channels)];
    if (!std::ranges::binary_search(channels, channel)) values[i] = nothing;
  }
  return values;
}

class Scores {
 public:
  Scores(const LoadedFit& fit, const DataSet& data)
      : counts_(fit.options.model.observation.kind == config::ObservationKind::poisson), data_(data) {}

  void add(const std::string& name, const std::string& what, std::vector<double> observed,
           std::vector<double> predicted) {
    const auto seen = series_of(data_, std::move(observed));
    const auto foretold = series_of(data_, std::move(predicted));
    if (counts_)
      all.push_back({name + "_bits_per_spike",
                     "1",
                     what + ": bits per spike over the channels' mean rates",
                     {analysis::bits_per_spike(seen, foretold, mean_rates(data_))}});
    else
      all.push_back({name + "_r_squared",
                     "1",
                     what + ": share of the variance explained",
                     {analysis::r_squared(seen, foretold).all}});
  }

  std::vector<analysis::Statistic> all;

 private:
  bool counts_;
  const DataSet& data_;
};

}  // namespace

std::vector<analysis::Statistic> score_predictions(const LoadedFit& fit, const DataSet& data,
                                                   const PredictionTask& task, const parallel::Communicator& comm) {
  Scores scores(fit, data);
  const auto cells = static_cast<std::ptrdiff_t>(data.observations.size());
  if (!task.horizons.empty()) {
    const auto forecasts = Forecasts(fit, data, task.horizons, task.seed, comm).all();
    for (std::size_t h = 0; h < task.horizons.size(); ++h) {
      const auto from = forecasts.begin() + static_cast<std::ptrdiff_t>(h) * cells;
      scores.add(fmt::format("forecast_{}", task.horizons[h]),
                 fmt::format("forecasts {} step(s) ahead", task.horizons[h]), data.observations, {from, from + cells});
    }
  }
  if (!task.held_out.empty()) {
    auto hidden = data;
    hide_channels("evaluate.held_out", task.held_out, hidden);
    scores.add("held_out", "held-out channels from the others", only(data, task.held_out),
               Forecasts(fit, hidden, {0}, task.seed, comm).all());
  }
  return scores.all;
}

}  // namespace rankflow::fit
