#include <algorithm>

#include "fit/preparation.hpp"
#include "io/dataset_spec.hpp"

namespace rankflow::fit {
namespace {

using Bytes = std::uint64_t;

/// Blocks of the rank with most of them.
std::int64_t largest_share(const smc::ParticleLayout& layout) {
  std::int64_t most = 0;
  for (int r = 0; r < layout.ranks(); ++r) {
    const auto index = static_cast<std::size_t>(r);
    most = std::max(most, layout.rank_bounds()[index + 1] - layout.rank_bounds()[index]);
  }
  return most;
}

/// A recorded pass keeps ancestors, proposals and states of every step, with their adjoints.
Bytes particle_bytes(const FitPlan& plan, const smc::ParticleLayout& layout, const smc::LatentModel& model,
                     Bytes number) {
  const auto per_lane = static_cast<Bytes>(3 * model.states() + 3 * model.rank()) * number + 16;
  return static_cast<Bytes>(largest_share(layout) * smc::block_lanes * plan.window) * per_lane;
}

Bytes encoder_bytes(const FitPlan& plan, const config::FitVsmcOptions& options, Bytes number) {
  if (options.smc.proposal != config::Proposal::encoder) return 0;
  const auto trials = (plan.batch_trials + plan.ranks - 1) / plan.ranks;
  const auto layers = static_cast<std::int64_t>(options.encoder.kernels.size());
  const auto width = plan.channels + plan.inputs + 4 * layers * options.encoder.channels;
  return static_cast<Bytes>(trials * plan.window * width) * number;
}

template <class T>
void measure(const Preparation& prepared, const parallel::Communicator& comm, FitPlan& plan) {
  Console silent(false);
  TrainingState state(prepared.start, prepared.request.options.training.epochs);
  const Training<T> training(prepared.parts(comm, silent), state);
  plan.steps_per_epoch = training.steps_per_epoch();
  const auto& layout = training.layout();
  const auto all = plan.batch_trials * plan.particles;
  plan.particles_per_rank = std::min(all, (largest_share(layout) * all + layout.blocks() - 1) / layout.blocks());
  const auto numbers = static_cast<Bytes>(prepared.data.observations.size() + prepared.data.input_values.size());
  const auto total = static_cast<Bytes>(plan.parameters);
  constexpr Bytes vectors = 12;  // positions with the optimiser's memory, the best, descent, sums over blocks
  plan.memory = {{"data", numbers * sizeof(double)},
                 {"parameters", total * (vectors * sizeof(double) + 4 * sizeof(T))},
                 {"particles", particle_bytes(plan, layout, prepared.model.latent, sizeof(T))},
                 {"encoder", encoder_bytes(plan, prepared.request.options, sizeof(T))}};
  for (const auto& spec : fit_layout(prepared.contents(plan.steps_per_epoch)).datasets)
    plan.file_bytes += io::count_of(spec.shape) * io::size_of(spec.type);
}

}  // namespace

Bytes FitPlan::memory_per_rank() const {
  Bytes sum = 0;
  for (const auto& [what, bytes] : memory) sum += bytes;
  return sum;
}

std::string FitPlan::text() const {
  std::string out = fmt::format("{} trial{} of up to {} steps, {} channel(s), {} input(s)\n", trials,
                                trials == 1 ? "" : "s", times, channels, inputs);
  out +=
      fmt::format("windows of {} steps: {} to learn from, {} held out\n", window, training_windows, held_out_windows);
  out += fmt::format("{} epochs of {} steps, minibatches of {} windows\n", epochs, steps_per_epoch, batch_trials);
  out += fmt::format("parameters: {}\n", parameters);
  out += fmt::format("particles: {} for each window, at most {} of {} on a rank\n", particles, particles_per_rank,
                     batch_trials * particles);
  for (const auto& [what, bytes] : memory)
    if (bytes > 0) out += fmt::format("  {}: {}\n", what, bytes_text(static_cast<double>(bytes)));
  out += fmt::format("memory per rank on {} rank{}: {}\n", ranks, ranks == 1 ? "" : "s",
                     bytes_text(static_cast<double>(memory_per_rank())));
  return out + fmt::format("output file: {}\n", bytes_text(static_cast<double>(file_bytes)));
}

FitPlan plan_fit(const FitRequest& request, const parallel::Communicator& comm) {
  const Preparation prepared(request, comm);
  const auto& options = request.options;
  FitPlan plan;
  plan.trials = prepared.data.trials;
  plan.times = prepared.data.times;
  plan.channels = prepared.data.channels;
  plan.inputs = prepared.data.inputs;
  plan.window = window_of(options, prepared.data);
  plan.training_windows = static_cast<std::int64_t>(consecutive_windows(prepared.split.training, plan.window).size());
  plan.held_out_windows = static_cast<std::int64_t>(consecutive_windows(prepared.split.validation, plan.window).size());
  plan.parameters = prepared.model.latent.layout().total();
  plan.batch_trials = options.training.batch_trials;
  plan.particles = options.smc.particles;
  plan.epochs = options.training.epochs;
  plan.ranks = comm.size();
  if (options.run.precision == config::Precision::single)
    measure<float>(prepared, comm, plan);
  else
    measure<double>(prepared, comm, plan);
  return plan;
}

}  // namespace rankflow::fit
