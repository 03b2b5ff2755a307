#include <algorithm>
#include <limits>
#include <optional>

#include "core/error.hpp"
#include "fit/batches.hpp"
#include "fit/encoder.hpp"
#include "fit/fit_file.hpp"
#include "fit/flow_latents.hpp"
#include "smc/smoothing.hpp"

namespace rankflow::fit {
namespace {

constexpr std::int64_t trials_smoothed_at_once = 16;
/// Iterations of the filter's random numbers apart from those of training and judging.
constexpr std::uint64_t first_posterior_iteration = std::uint64_t{3} << 62;
constexpr std::int64_t posterior_history_bytes = std::int64_t{4} << 30;

/// Means of the trials that this rank owns, to every rank [trials, T, R].
std::vector<double> gather_means(const smc::LatentMoments& mine, const parallel::Communicator& comm) {
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.mean.size()));
  std::int64_t total = 0;
  for (const auto count : counts) total += count;
  std::vector<double> all(static_cast<std::size_t>(total));
  comm.all_gather(std::span<const double>(mine.mean), std::span<double>(all), counts);
  return all;
}

/// Smooths batch after batch.
class PosteriorSmoother {
 public:
  PosteriorSmoother(const LoadedFit& fit, const DataSet& data, const config::SmcOptions& smc,
                    const parallel::Communicator& comm, std::uint64_t seed)
      : fit_(fit),
        data_(data),
        comm_(comm),
        seed_(seed),
        batch_(std::min(trials_smoothed_at_once, data.trials), data.times, data),
        filter_(fit.model.latent, smc, comm, batch_.trials(), data.times) {
    if (smc.proposal == config::Proposal::encoder)
      encoder_.emplace(fit.options.encoder, *fit.model.encoder, fit.model.latent, comm, batch_.trials(), data.times);
  }

  /// [B, T, R]; NaN past the end of a trial.
  std::vector<double> run() {
    const auto batches = (data_.trials + batch_.trials() - 1) / batch_.trials();
    const auto per_trial = static_cast<std::size_t>(data_.times * fit_.model.latent.rank());
    std::vector<double> means(static_cast<std::size_t>(data_.trials) * per_trial,
                              std::numeric_limits<double>::quiet_NaN());
    for (std::int64_t number = 0; number < batches; ++number) {
      const auto first = number * batch_.trials();
      const auto count = std::min(batch_.trials(), data_.trials - first);
      const auto smoothed = smooth(number, first, count);
      for (std::int64_t trial = 0; trial < count; ++trial) {
        const auto length = data_.lengths[static_cast<std::size_t>(first + trial)] * fit_.model.latent.rank();
        std::copy_n(smoothed.begin() + trial * static_cast<std::ptrdiff_t>(per_trial), length,
                    means.begin() + (first + trial) * static_cast<std::ptrdiff_t>(per_trial));
      }
    }
    return means;
  }

 private:
  std::vector<double> smooth(std::int64_t number, std::int64_t first, std::int64_t count) {
    std::vector<Stretch> whole;
    for (std::int64_t b = 0; b < count; ++b)
      whole.push_back({first + b, 0, data_.lengths[static_cast<std::size_t>(first + b)]});
    batch_.fill(whole);
    auto filter_data = batch_.filter_data();
    if (encoder_) filter_data.guides = encoder_->guides(fit_.parameters, filter_data, false);
    return with_context("smoothing " + batch_.describe(), [&] {
      smc::FilterHistory<double> history(filter_.layout(), comm_, fit_.model.latent.rank(), data_.times,
                                         posterior_history_bytes);
      filter_.run(fit_.parameters, filter_data,
                  {.seed = seed_, .iteration = first_posterior_iteration + static_cast<std::uint64_t>(number)},
                  [&](const smc::WeightedParticles<double>& particles) { history.add(particles); });
      return gather_means(smc::smooth_by_genealogy(history).moments, comm_);
    });
  }

  const LoadedFit& fit_;
  const DataSet& data_;
  const parallel::Communicator& comm_;
  std::uint64_t seed_;
  Batch batch_;
  smc::ParticleFilter<double> filter_;
  std::optional<Encoder<double>> encoder_;
};

}  // namespace

FlowLatents posterior_flow_latents(const config::FitFlowOptions& options, const parallel::Communicator& comm) {
  const auto fit = load_fit(comm, options.latents.file);
  const auto* known = fit.standardisation ? &*fit.standardisation : nullptr;
  const auto data = load_data(fit.options.data, fit.options.model.observation.kind, comm, known);
  auto smc = fit.options.smc;
  smc.particles = options.latents.particles;
  FlowLatents latents;
  latents.trials = data.trials;
  latents.steps = data.times;
  latents.rank = static_cast<int>(fit.model.latent.rank());
  latents.inputs = static_cast<int>(data.inputs);
  latents.u = data.input_values;
  latents.path = fit.options.model.network.input_path;
  latents.interval = data.bin_width;
  latents.z = PosteriorSmoother(fit, data, smc, comm, static_cast<std::uint64_t>(options.run.seed)).run();
  return latents;
}

}  // namespace rankflow::fit
