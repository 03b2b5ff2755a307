#include "fit/filtering.hpp"

#include <algorithm>
#include <optional>

#include "fit/batches.hpp"
#include "fit/filter_data.hpp"
#include "fit/filter_file.hpp"
#include "io/agreement.hpp"
#include "io/earlier_output.hpp"
#include "smc/backward_simulation.hpp"
#include "smc/forecast.hpp"
#include "smc/posterior.hpp"
#include "smc/smoothing.hpp"

namespace rankflow::fit {
namespace {

using config::Smoothing;

constexpr double gibibyte = 1073741824.0;

std::int64_t batch_size(const FilterRequest& request, const DataSet& data) {
  return std::min(request.options.filter.batch_trials, data.trials);
}

/// Filters batch after batch and writes what comes out.
template <class T>
class Filtering {
 public:
  /// Throws ConfigurationError for a request that cannot be met.
  Filtering(const FilterRequest& request, const DataSet& data, const parallel::Communicator& comm)
      : request_(request),
        data_(data),
        comm_(comm),
        model_(request.fit.model.latent),
        parameters_(request.options.filter.parameters == config::FitParameters::best ? request.fit.parameters
                                                                                     : request.fit.last),
        batch_(batch_size(request, data), data.times, data),
        filter_(model_, request.options.smc, comm, batch_.trials(), data.times) {
    if (request.options.smc.proposal == config::Proposal::encoder)
      encoder_.emplace(request.fit.options.encoder, *request.fit.model.encoder, model_, comm, batch_.trials(),
                       data.times);
    if (request.options.filter.smoothing != Smoothing::none) new_history();
  }

  /// The rest of what a bad request can be refused for has been done: the file may be made.
  void run(io::RunFile& file, Console& console) {
    file_ = &file;
    const auto batches = (data_.trials + batch_.trials() - 1) / batch_.trials();
    console.begin_progress("filtering");
    for (std::int64_t b = 0; b < batches; ++b) {
      run_batch(b);
      console.progress(static_cast<double>(b + 1) / static_cast<double>(batches));
    }
    console.end_progress();
  }

  double log_likelihood() const noexcept { return log_likelihood_; }
  double mean_sample_size() const noexcept { return sample_size_ / static_cast<double>(steps_); }
  std::int64_t steps() const noexcept { return steps_; }

 private:
  void run_batch(std::int64_t number) {
    first_ = number * batch_.trials();
    count_ = std::min(batch_.trials(), data_.trials - first_);
    std::vector<Stretch> whole;
    for (std::int64_t b = 0; b < count_; ++b)
      whole.push_back({first_ + b, 0, data_.lengths[static_cast<std::size_t>(first_ + b)]});
    batch_.fill(whole);
    auto data = batch_.filter_data();
    if (encoder_) data.guides = encoder_->guides(parameters_, data, false);
    with_context("filtering " + batch_.describe(), [&] { filter(data, number); });
  }

  void filter(const smc::FilterData& data, std::int64_t number) {
    const auto& options = request_.options.filter;
    const smc::FilterRandomness randomness{.seed = static_cast<std::uint64_t>(options.seed),
                                           .iteration = static_cast<std::uint64_t>(number)};
    smc::PosteriorMoments<T> posterior(filter_.layout(), comm_, model_.rank(), data_.times);
    std::optional<smc::Forecaster<T>> forecaster;
    if (!options.forecast.empty())
      forecaster.emplace(model_, parameters_, data, filter_.layout(), comm_, options.forecast, randomness);
    std::optional<smc::FilterHistory<T>> history;
    if (options.smoothing != Smoothing::none) history.emplace(new_history());
    const auto result = filter_.run(parameters_, data, randomness, [&](const smc::WeightedParticles<T>& particles) {
      posterior.add(particles);
      if (forecaster) forecaster->add(particles);
      if (history) history->add(particles);
    });
    write_result(result);
    write_moments("/filter", posterior.result());
    if (forecaster) write_forecasts(forecaster->result());
    if (options.smoothing == Smoothing::genealogy) {
      const auto smoothed = smc::smooth_by_genealogy(*history);
      write_moments("/smoothed", smoothed.moments);
      write_owned("/smoothed/effective_sample_size", 0, smoothed.moments.first_trial, smoothed.moments.trials,
                  smoothed.sample_size);
    } else if (options.smoothing == Smoothing::backward) {
      const auto drawn = smc::simulate_backward(model_, parameters_, data, *history, options.trajectories, randomness);
      write_owned("/smoothed/trajectories", 0, drawn.first_trial, drawn.trials, drawn.states);
    }
  }

  smc::FilterHistory<T> new_history() const {
    return {filter_.layout(), comm_, model_.rank(), data_.times,
            static_cast<std::int64_t>(request_.options.filter.history_limit * gibibyte)};
  }

  /// The same on every rank: rank 0 writes.
  void write_result(const smc::FilterResult& result) {
    const auto trials = comm_.is_root() ? count_ : 0;
    const auto cells = static_cast<std::size_t>(trials * data_.times);
    write_trials(*file_, "/filter/log_likelihood", 0, first_, trials, std::span(result.log_likelihood).first(cells));
    write_trials(*file_, "/filter/effective_sample_size", 0, first_, trials,
                 std::span(result.sample_size).first(cells));
    const auto observed = batch_.observed();
    const std::vector<double> seen(observed.begin(), observed.end());
    write_trials(*file_, "/filter/observed", 0, first_, trials, std::span(seen).first(cells));
    for (std::size_t i = 0; i < observed.size(); ++i) {
      if (observed[i] == 0) continue;
      log_likelihood_ += result.log_likelihood[i];
      sample_size_ += result.sample_size[i];
      ++steps_;
    }
  }

  void write_moments(const std::string& group, const smc::LatentMoments& moments) {
    write_owned(group + "/latent_mean", 0, moments.first_trial, moments.trials, moments.mean);
    write_owned(group + "/latent_covariance", 0, moments.first_trial, moments.trials, moments.covariance);
  }

  void write_forecasts(const smc::ObservationForecasts& forecasts) {
    // Horizon after horizon, so that the trials of a block that is full up with none can be left out.
    const auto horizons = static_cast<std::int64_t>(forecasts.horizons.size());
    const auto mine = owned(forecasts.first_trial, forecasts.trials);
    const auto per_trial = static_cast<std::size_t>(forecasts.times * forecasts.channels);
    std::vector<double> values;
    for (std::int64_t h = 0; h < horizons; ++h) {
      const auto* from = forecasts.mean.data() + static_cast<std::size_t>(h * forecasts.trials) * per_trial;
      values.insert(values.end(), from, from + static_cast<std::size_t>(mine) * per_trial);
    }
    write_trials(*file_, "/filter/forecast", 1, first_ + forecasts.first_trial, mine, values);
  }

  /// Of the trials that a rank owns, those that exist: the last batch may be filled up with none.
  std::int64_t owned(std::int64_t first, std::int64_t trials) const {
    return std::clamp<std::int64_t>(count_ - first, 0, trials);
  }

  void write_owned(const std::string& path, std::size_t axis, std::int64_t first, std::int64_t trials,
                   std::span<const double> values) {
    const auto mine = owned(first, trials);
    const auto each = trials == 0 ? 0 : values.size() / static_cast<std::size_t>(trials);
    write_trials(*file_, path, axis, first_ + first, mine, values.first(each * static_cast<std::size_t>(mine)));
  }

  const FilterRequest& request_;
  const DataSet& data_;
  const parallel::Communicator& comm_;
  io::RunFile* file_ = nullptr;
  const smc::LatentModel& model_;
  const std::vector<double>& parameters_;
  Batch batch_;
  smc::ParticleFilter<T> filter_;
  std::optional<Encoder<T>> encoder_;
  std::int64_t first_ = 0, count_ = 0;  ///< trials of the batch at hand
  double log_likelihood_ = 0, sample_size_ = 0;
  std::int64_t steps_ = 0;
};

io::RunFile make_file(const FilterRequest& request, const DataSet& data, const parallel::Communicator& comm) {
  auto file = io::RunFile::create(comm, request.output,
                                  {.configuration = request.configuration,
                                   .seed = static_cast<std::uint64_t>(request.options.filter.seed),
                                   .more = {{"fit", request.source.string()}}},
                                  filter_layout(request, data), io::FileType::filter);
  file.file().write_all<std::int64_t>("/filter/trial_number", data.trial_numbers);
  file.file().write_all<std::int64_t>("/filter/channel_number", data.channel_numbers);
  return file;
}

template <class T>
void filter_all(const FilterRequest& request, const DataSet& data, const parallel::Communicator& comm,
                Console& console) {
  Filtering<T> filtering(request, data, comm);
  auto file = make_file(request, data, comm);
  try {
    filtering.run(file, console);
  } catch (const NumericalError& error) {
    const auto unwritten = io::attempt([&] { file.fail(error.what()); });
    if (unwritten) console.warn("the result does not say that it failed: {}", unwritten->message);
    throw;
  }
  const double per_step = filtering.log_likelihood() / static_cast<double>(filtering.steps());
  file.file().set_attribute("/filter", "log_likelihood_per_step", per_step);
  file.finish();
  console.info("wrote {}: log-likelihood {:.8g} of {} steps, {:.6g} per step; effective sample size {:.4g} of {}",
               request.output.string(), filtering.log_likelihood(), filtering.steps(), per_step,
               filtering.mean_sample_size(), request.options.smc.particles);
}

void check_request(const FilterRequest& request) {
  if (request.options.smc.proposal == config::Proposal::encoder && !request.fit.model.encoder)
    throw ConfigurationError(
        "smc.proposal: '{}' has no encoder, it was fitted with another proposal; choose \"bootstrap\" or \"optimal\"",
        request.source.string());
}

}  // namespace

config::FilterOptions filter_defaults(const LoadedFit& fit) {
  config::FilterOptions options;
  options.data = fit.options.data;
  options.smc = fit.options.smc;
  return options;
}

std::string plan_filter(const FilterRequest& request, const parallel::Communicator& comm) {
  check_request(request);
  const auto data = load_filter_data(request, comm);
  const auto layout = filter_layout(request, data);
  const smc::ParticleLayout particles(batch_size(request, data), request.options.smc.particles, comm.size(), 0);
  const auto number = request.options.filter.precision == config::Precision::single ? 4 : 8;
  const auto& model = request.fit.model.latent;
  const auto blocks = (particles.blocks() + comm.size() - 1) / comm.size();
  double bytes = 8.0 * static_cast<double>(data.observations.size() + data.input_values.size()) +
                 static_cast<double>(blocks * smc::block_lanes * 2 * number * 4 * model.states());
  if (request.options.filter.smoothing != Smoothing::none)
    bytes += static_cast<double>(smc::FilterHistory<double>::bytes_per_rank(particles, model.rank(), data.times));
  std::uint64_t file_bytes = 0;
  for (const auto& spec : layout.datasets) file_bytes += io::count_of(spec.shape) * io::size_of(spec.type);
  return fmt::format(
      "{} trial(s) of up to {} steps, {} channel(s), {} input(s), {} at a time\nparticles: {} for each trial\nmemory "
      "per rank on {} rank{}: {}\noutput file: {}\n",
      data.trials, data.times, data.channels, data.inputs, batch_size(request, data), request.options.smc.particles,
      comm.size(), comm.size() == 1 ? "" : "s", bytes_text(bytes), bytes_text(static_cast<double>(file_bytes)));
}

ExitCode run_filter(const FilterRequest& request, const parallel::Communicator& comm, Console& console) {
  check_request(request);
  auto inputs = std::vector<std::filesystem::path>{request.source};
  if (!request.options.data.file.empty()) inputs.emplace_back(request.options.data.file);
  io::check_output({.path = request.output, .type = io::FileType::filter, .inputs = std::move(inputs)}, comm);
  const auto data = load_filter_data(request, comm);
  if (request.options.filter.precision == config::Precision::single)
    filter_all<float>(request, data, comm, console);
  else
    filter_all<double>(request, data, comm, console);
  return ExitCode::done;
}

}  // namespace rankflow::fit
