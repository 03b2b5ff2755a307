#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "fit/flow_drive.hpp"
#include "fit/flow_latents.hpp"
#include "model/inputs.hpp"
#include "simulate/latent_noise.hpp"
#include "simulate/step_coefficients.hpp"

namespace rankflow::fit {
namespace {

/// Above this the grid is taken for a mistake: its latents are held by every rank.
constexpr double largest_flow_grid = 1e7;

std::int64_t grid_size(const config::LatentSimulationOptions& options, int rank) {
  const double states = std::pow(static_cast<double>(options.grid_points), rank);
  const double values = states * static_cast<double>(options.repeats) * static_cast<double>(options.rows);
  if (values > largest_flow_grid)
    throw ConfigurationError(
        "latents.simulation: {} grid points in {} dimensions, {} time(s) each, with {} rows are {:.3g} states; at most "
        "{:g} are held: lower grid_points, repeats or rows",
        options.grid_points, rank, options.repeats, options.rows, values, largest_flow_grid);
  return static_cast<std::int64_t>(states);
}

/// [trial, R]: the last latent varies fastest, repeats slowest.
std::vector<double> grid_of(const config::LatentSimulationOptions& options, int rank, std::int64_t states) {
  std::vector<double> grid;
  for (std::int64_t trial = 0; trial < states * options.repeats; ++trial) {
    std::int64_t stride = states;
    for (int r = 0; r < rank; ++r) {
      stride /= options.grid_points;
      const auto place = static_cast<double>(trial % states / stride % options.grid_points);
      const double last = static_cast<double>(options.grid_points - 1);
      grid.push_back(last > 0 ? options.grid_extent * (2 * place / last - 1) : 0.0);
    }
  }
  return grid;
}

/// The network's own map, or Euler's method.
simulate::StepCoefficients coefficients_of(const config::LatentOptions& options,
                                           const model::Network<double>& network) {
  const auto decay = options.decay ? options.decay : network.decay;
  const auto method = decay ? config::Method::map : config::Method::euler;
  return simulate::step_coefficients(method, options.simulation.step, network.shared_tau, network.leak, decay);
}

/// States of all trials at one time, advanced together.
class FlowGrid {
 public:
  FlowGrid(const config::FitFlowOptions& options, const model::Network<double>& network,
           const parallel::Communicator& comm, const simulate::StepCoefficients& coefficients, FlowLatents& latents)
      : network_(network),
        comm_(comm),
        coefficients_(coefficients),
        latents_(latents),
        raw_(options.latents.input_path == config::InputPath::raw),
        inputs_(options.inputs, latents.trials, options.latents.simulation.step, network.inputs,
                static_cast<std::uint64_t>(options.run.seed)),
        noise_(noise_of(options), network.rank, static_cast<std::uint64_t>(options.run.seed)),
        z_(grid_of(options.latents.simulation, network.rank, latents.trials / options.latents.simulation.repeats)),
        v_(static_cast<std::size_t>(latents.trials * network.inputs), 0.0),
        u_(static_cast<std::size_t>(network.inputs)) {}

  void run() {
    for (std::int64_t row = 0; row < latents_.steps; ++row) {
      if (raw_) take_inputs(row);
      keep(row);
      if (row + 1 < latents_.steps) step(row);
    }
  }

 private:
  static config::NoiseOptions noise_of(const config::FitFlowOptions& options) {
    config::NoiseOptions noise;
    noise.latent = options.latents.simulation.noise;
    return noise;
  }

  void keep(std::int64_t row) {
    const auto copy = [&](const std::vector<double>& from, int columns, std::vector<double>& to) {
      const auto width = static_cast<std::ptrdiff_t>(columns);
      for (std::ptrdiff_t trial = 0; trial < latents_.trials; ++trial)
        std::copy_n(from.begin() + trial * width, width, to.begin() + (trial * latents_.steps + row) * width);
    };
    copy(z_, network_.rank, latents_.z);
    copy(v_, network_.inputs, latents_.u);
  }

  void step(std::int64_t row) {
    const auto drive = network_drive(network_, {latents_.trials, z_.data(), v_.data()}, comm_);
    const auto rank = static_cast<std::size_t>(network_.rank);
    for (std::size_t i = 0; i < z_.size(); ++i) {
      z_[i] += coefficients_.gain * (drive[i] - z_[i]);
      if (!std::isfinite(z_[i]))
        throw NumericalError(
            "latent z_{} became {} in trial {} at row {}: the network is unstable; choose a shorter "
            "latents.simulation.step, a smaller grid_extent, or a bounded activation",
            i % rank, z_[i], i / rank, row + 1);
    }
    for (std::int64_t trial = 0; trial < latents_.trials; ++trial)
      noise_.add(trial, row, coefficients_.noise_scale,
                 std::span(z_).subspan(static_cast<std::size_t>(trial) * rank, rank));
    if (!raw_) filter_inputs(row);
  }

  void take_inputs(std::int64_t row) {
    for (std::int64_t trial = 0; trial < latents_.trials; ++trial)
      inputs_.at_step(trial, row, std::span(v_).subspan(static_cast<std::size_t>(trial) * u_.size(), u_.size()));
  }

  void filter_inputs(std::int64_t row) {
    for (std::int64_t trial = 0; trial < latents_.trials && !u_.empty(); ++trial) {
      inputs_.at_step(trial, row, u_);
      double* v = v_.data() + static_cast<std::size_t>(trial) * u_.size();
      for (std::size_t k = 0; k < u_.size(); ++k) v[k] += coefficients_.gain * (u_[k] - v[k]);
    }
  }

  const model::Network<double>& network_;
  const parallel::Communicator& comm_;
  simulate::StepCoefficients coefficients_;
  FlowLatents& latents_;
  bool raw_;
  model::Inputs inputs_;
  simulate::LatentNoise noise_;
  std::vector<double> z_, v_, u_;
};

}  // namespace

FlowLatents simulate_flow_latents(const config::FitFlowOptions& options, const model::Network<double>& network,
                                  const parallel::Communicator& comm) {
  const auto& asked = options.latents.simulation;
  const auto coefficients = coefficients_of(options.latents, network);
  if (coefficients.gain > 1)
    throw ConfigurationError("latents.simulation.step is {} s, above the time constant of {} s; choose a shorter one",
                             asked.step, network.shared_tau);
  FlowLatents latents;
  latents.trials = grid_size(asked, network.rank) * asked.repeats;
  latents.steps = asked.rows;
  latents.rank = network.rank;
  latents.inputs = network.inputs;
  latents.path = config::InputPath::raw;  // they are what the neurons see
  latents.interval = asked.step;
  latents.decay = 1 - coefficients.gain;
  const auto cells = static_cast<std::size_t>(latents.trials * latents.steps);
  latents.z.resize(cells * static_cast<std::size_t>(latents.rank));
  latents.u.resize(cells * static_cast<std::size_t>(latents.inputs));
  with_context("simulating the latents", [&] { FlowGrid(options, network, comm, coefficients, latents).run(); });
  return latents;
}

}  // namespace rankflow::fit
