#include "simulate/recorder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "model/activation.hpp"

namespace rankflow::simulate {

using parallel::tile_size;

namespace {

/// Rows are collected up to this size before they are written.
constexpr std::uint64_t block_bytes = std::uint64_t{32} << 20;
constexpr double largest_count = std::numeric_limits<std::int32_t>::max();
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

template <class T>
Recorder<T>::Recorder(Parts parts, const parallel::Communicator& comm) : parts_(std::move(parts)), comm_(comm) {
  if (parts_.output.rates || parts_.output.potentials) choose_neurons();
  add_fields();
}

template <class T>
void Recorder<T>::choose_neurons() {
  const auto& output = parts_.output;
  const auto& part = parts_.network.partition;
  const std::int64_t neurons = part.global_count();
  if (!output.neurons.empty() && output.neurons.back() >= neurons)
    throw ConfigurationError("output.neurons: neuron {} does not exist; the network has {}, numbered from 0",
                             output.neurons.back(), neurons);
  if (output.first_neurons > neurons)
    throw ConfigurationError("output.first_neurons: {} neurons asked for, the network has {}", output.first_neurons,
                             neurons);
  if (!output.neurons.empty()) {
    for (const auto neuron : output.neurons) {
      chosen_before_ += neuron < part.begin() ? 1 : 0;
      if (neuron >= part.begin() && neuron < part.end()) chosen_.push_back(neuron - part.begin());
    }
    chosen_total_ = output.neurons.size();
    return;
  }
  const std::int64_t first = output.first_neurons > 0 ? output.first_neurons : neurons;
  chosen_.resize(static_cast<std::size_t>(std::clamp(first - part.begin(), std::int64_t{0}, part.count())));
  std::iota(chosen_.begin(), chosen_.end(), 0);
  chosen_before_ = static_cast<std::size_t>(std::min(first, part.begin()));
  chosen_total_ = static_cast<std::size_t>(first);
}

template <class T>
void Recorder<T>::add_field(const std::string& path, const std::string& dimension, std::size_t width, std::size_t local,
                            std::size_t offset, const std::string& units, const std::string& long_name,
                            decltype(Field::fill) fill) {
  fields_.push_back({.spec = {.path = path,
                              .shape = {static_cast<std::uint64_t>(parts_.trials), parts_.row_times.size(), width},
                              .dimensions = {"trial", "time", dimension},
                              .type = io::Type::f64,
                              .units = units,
                              .long_name = long_name},
                     .local = local,
                     .offset = offset,
                     .fill = std::move(fill),
                     .staged = {}});
}

template <class T>
void Recorder<T>::add_fields() {
  const auto& network = parts_.network;
  const auto on_root = [this](std::size_t width) { return comm_.is_root() ? width : std::size_t{0}; };
  const auto rank = static_cast<std::size_t>(network.rank);
  add_field(parts_.paths.latent, "rank", rank, on_root(rank), 0, "1", "latent state z",
            [this, rank](const StateView&, int trial, std::int64_t, std::span<double> out) {
              std::copy_n(latents_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(trial) * rank),
                          out.size(), out.begin());
            });
  if (parts_.output.inputs && network.inputs > 0) {
    const auto inputs = static_cast<std::size_t>(network.inputs);
    add_field(parts_.paths.inputs, "input", inputs, on_root(inputs), 0, "1", "input u",
              [this](const StateView& state, int trial, std::int64_t row, std::span<double> out) {
                if (!out.empty())
                  parts_.inputs.at(state.first_trial() + trial, parts_.row_times[static_cast<std::size_t>(row)], out);
              });
  }
  if (parts_.output.rates) add_neuron_field("rates", true);
  if (parts_.output.potentials) add_neuron_field("potentials", false);
  if (parts_.output.population_means) {
    const std::size_t populations = std::max<std::size_t>(1, network.population_names.size());
    add_field(parts_.paths.group + "/population_means", "population", populations, on_root(populations), 0, "1",
              "mean rate of each population",
              [this, populations](const StateView&, int trial, std::int64_t, std::span<double> out) {
                std::copy_n(population_means_.begin() +
                                static_cast<std::ptrdiff_t>(static_cast<std::size_t>(trial) * populations),
                            out.size(), out.begin());
              });
    population_sizes_.assign(populations, 0.0);
  }
  if (parts_.observation != nullptr) add_observations();
}

template <class T>
void Recorder<T>::add_neuron_field(const std::string& name, bool rates) {
  add_field(parts_.paths.group + "/" + name, "neuron", chosen_total_, chosen_.size(), chosen_before_, "1",
            rates ? "rate phi(x, d)" : "potential x",
            [this, rates](const StateView& state, int trial, std::int64_t, std::span<double> out) {
              fill_neurons(state, trial, rates, out);
            });
}

template <class T>
void Recorder<T>::add_observations() {
  const auto& observation = *parts_.observation;
  const auto channels = static_cast<std::size_t>(observation.channels());
  const bool counts = observation.kind() == config::ObservationKind::poisson;
  if (observation.source() != config::ObservationSource::latent) {
    if (observation.channels() > parts_.network.neurons())
      throw ConfigurationError(
          "observation.channels: {} channels that see one neuron each asked for, the network has {} neurons",
          observation.channels(), parts_.network.neurons());
    for (int r = 0; r < comm_.size(); ++r) {
      const parallel::Partition part(parts_.network.neurons(), comm_.size(), r);
      observed_counts_.push_back(std::clamp<std::int64_t>(observation.channels() - part.begin(), 0, part.count()));
    }
  }
  add_field(parts_.paths.observations, "channel", channels, comm_.is_root() ? channels : 0, 0,
            counts ? "counts per row" : "1", counts ? "Poisson observation" : "Gaussian observation",
            [this, channels](const StateView& state, int trial, std::int64_t row, std::span<double> out) {
              // Drawn on every rank though only the root writes: a mean that is not finite then stops all of them.
              std::vector<double> observed(channels);
              observe(state, trial, row, observed);
              std::copy_n(observed.begin(), out.size(), out.begin());
            });
  if (counts) fields_.back().spec.type = io::Type::i32;
}

template <class T>
void Recorder<T>::observe(const StateView& state, int trial, std::int64_t row, std::span<double> observed) {
  const auto& model = *parts_.observation;
  const bool from_latent = model.source() == config::ObservationSource::latent;
  const auto width = from_latent ? static_cast<std::size_t>(parts_.network.rank) : observed.size();
  const std::span<const double> states = from_latent ? latents_ : observed_neurons_;
  std::vector<double> means(observed.size());
  model.mean(states.subspan(static_cast<std::size_t>(trial) * width, width), means,
             model.input_weights().empty() ? std::span<const double>() : state.inputs(trial));
  model.draw(state.first_trial() + trial, row, means, observed);
  if (model.kind() != config::ObservationKind::poisson) return;
  for (std::size_t channel = 0; channel < observed.size(); ++channel)
    if (observed[channel] > largest_count)
      throw NumericalError(
          "channel {} counts {:.3g} in trial {}, row {}: more than a 32-bit file holds; lower the "
          "observation's weights or bias",
          channel, observed[channel], state.first_trial() + trial, row);
}

template <class T>
void Recorder<T>::attach(io::RunFile& file) {
  file_ = &file;
  if (population_sizes_.empty()) return;
  const auto& network = parts_.network;
  parallel::ReproducibleSum sizes(population_sizes_.size());
  for (std::int64_t i = 0; i < network.partition.count(); ++i)
    sizes.add(network.population.empty() ? 0 : network.population[static_cast<std::size_t>(i)], 1.0);
  sizes.reduce(comm_, population_sizes_);
}

template <class T>
void Recorder<T>::describe(io::RunLayout& layout) const {
  layout.coordinates.push_back(
      {.path = parts_.paths.group + "/time", .values = parts_.row_times, .units = "s", .long_name = "time"});
  if ((parts_.output.rates || parts_.output.potentials) && !parts_.output.neurons.empty())
    layout.coordinates.push_back({.path = parts_.paths.group + "/neuron",
                                  .values = {parts_.output.neurons.begin(), parts_.output.neurons.end()},
                                  .units = "1",
                                  .long_name = "index of the neuron in the network"});
  for (const auto& field : fields_) layout.datasets.push_back(field.spec);
}

template <class T>
std::uint64_t Recorder<T>::file_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& field : fields_) bytes += io::count_of(field.spec.shape) * io::size_of(field.spec.type);
  return bytes;
}

template <class T>
std::int64_t Recorder<T>::rows_per_block(int trials) const {
  // Every rank must come to the same number; the first rank has the largest share.
  const auto largest_share =
      static_cast<std::size_t>(parallel::Partition(parts_.network.neurons(), comm_.size(), 0).count());
  std::uint64_t row = 0;
  for (const auto& field : fields_)
    row += sizeof(double) * std::min<std::uint64_t>(field.spec.shape[2], std::max(largest_share, std::size_t{4096}));
  row *= static_cast<std::uint64_t>(trials);
  return static_cast<std::int64_t>(std::clamp<std::uint64_t>(block_bytes / std::max<std::uint64_t>(row, 1), 1, 65536));
}

template <class T>
std::uint64_t Recorder<T>::buffer_bytes() const {
  std::uint64_t row = 0;
  for (const auto& field : fields_) row += sizeof(double) * field.local;
  const auto trials = static_cast<std::uint64_t>(parts_.trials);
  const auto rows = std::min<std::uint64_t>(static_cast<std::uint64_t>(rows_per_block(static_cast<int>(parts_.trials))),
                                            parts_.row_times.size());
  return row * trials * rows * (trials > 1 ? 2 : 1);
}

template <class T>
void Recorder<T>::open_block(int first_trial, int trials, std::int64_t first_row) {
  first_trial_ = first_trial;
  trials_in_block_ = trials;
  first_row_ = first_row;
  rows_in_block_ = 0;
  for (auto& field : fields_) field.staged.clear();
}

template <class T>
void Recorder<T>::record(std::int64_t row, const StateView& state) {
  compute_shared(state);
  for (auto& field : fields_) {
    for (int trial = 0; trial < state.trials(); ++trial) {
      const auto begin = field.staged.size();
      const bool integer = field.spec.type != io::Type::f64;
      field.staged.resize(begin + field.local, integer ? 0.0 : missing);
      if (state.alive(trial)) field.fill(state, trial, row, std::span(field.staged).subspan(begin));
    }
  }
  ++rows_in_block_;
}

template <class T>
void Recorder<T>::close_block() {
  const auto rows = static_cast<std::size_t>(rows_in_block_);
  const auto trials = static_cast<std::size_t>(trials_in_block_);
  if (rows == 0) return;
  std::vector<double> by_trial;
  for (auto& field : fields_) {
    std::span<const double> values = field.staged;
    if (trials > 1 && rows > 1) {
      by_trial.resize(field.staged.size());
      for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t trial = 0; trial < trials; ++trial)
          std::copy_n(field.staged.begin() + static_cast<std::ptrdiff_t>((row * trials + trial) * field.local),
                      field.local, by_trial.begin() + static_cast<std::ptrdiff_t>((trial * rows + row) * field.local));
      values = by_trial;
    }
    file_->write_rows<double>(field.spec.path,
                              {static_cast<std::uint64_t>(first_trial_), static_cast<std::uint64_t>(first_row_),
                               field.local == 0 ? 0 : field.offset},
                              {trials, rows, field.local}, values);
  }
}

template <class T>
void Recorder<T>::compute_shared(const StateView& state) {
  latents_.resize(static_cast<std::size_t>(state.trials()) * static_cast<std::size_t>(parts_.network.rank));
  state.latents(latents_);
  if (parts_.output.population_means) compute_population_means(state);
  if (!observed_counts_.empty()) gather_observed_neurons(state);
}

template <class T>
void Recorder<T>::tile_rates_of(const StateView& state, int trial, std::int64_t tile, std::span<double> rates) const {
  alignas(64) std::array<double, tile_size> x;
  alignas(64) std::array<double, tile_size> bias;
  alignas(64) std::array<double, tile_size> phi;
  state.tile_potentials(trial, tile, x.data());
  const auto& network = parts_.network;
  if (network.has_bias()) std::copy_n(network.bias.tile(tile, 0), tile_size, bias.begin());
  model::tile_rates<double>(network.activation, x.data(), network.has_bias() ? bias.data() : nullptr, phi.data(),
                            tile_size);
  std::copy_n(phi.begin(), rates.size(), rates.begin());
}

template <class T>
void Recorder<T>::fill_neurons(const StateView& state, int trial, bool rates, std::span<double> out) {
  alignas(64) std::array<double, tile_size> values;
  std::int64_t tile_at_hand = -1;
  for (std::size_t k = 0; k < chosen_.size(); ++k) {
    const std::int64_t tile = chosen_[k] / tile_size;
    if (tile != tile_at_hand) {
      tile_at_hand = tile;
      if (rates)
        tile_rates_of(state, trial, tile, values);
      else
        state.tile_potentials(trial, tile, values.data());
    }
    out[k] = values[static_cast<std::size_t>(chosen_[k] % tile_size)];
  }
}

template <class T>
void Recorder<T>::compute_population_means(const StateView& state) {
  const std::size_t populations = population_sizes_.size();
  const auto trials = static_cast<std::size_t>(state.trials());
  const auto& network = parts_.network;
  if (!population_sum_ || population_sum_->count() != trials * populations)
    population_sum_.emplace(trials * populations);
  alignas(64) std::array<double, tile_size> rates;
  std::vector<double> tile_sums(populations);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    for (std::size_t trial = 0; trial < trials; ++trial) {
      tile_rates_of(state, static_cast<int>(trial), tile, rates);
      std::ranges::fill(tile_sums, 0.0);
      for (std::int64_t i = 0; i < network.partition.tile_count(tile); ++i)
        tile_sums[network.population.empty() ? 0
                                             : network.population[static_cast<std::size_t>(tile * tile_size + i)]] +=
            rates[static_cast<std::size_t>(i)];
      for (std::size_t p = 0; p < populations; ++p) population_sum_->add(trial * populations + p, tile_sums[p]);
    }
  }
  population_means_.resize(trials * populations);
  population_sum_->reduce(comm_, population_means_);
  for (std::size_t trial = 0; trial < trials; ++trial)
    for (std::size_t p = 0; p < populations; ++p) population_means_[trial * populations + p] /= population_sizes_[p];
}

template <class T>
void Recorder<T>::gather_observed_neurons(const StateView& state) {
  const auto channels = static_cast<std::size_t>(parts_.observation->channels());
  const bool rates = parts_.observation->source() == config::ObservationSource::rates;
  observed_neurons_.resize(static_cast<std::size_t>(state.trials()) * channels);
  std::vector<double> mine(static_cast<std::size_t>(observed_counts_[static_cast<std::size_t>(comm_.rank())]));
  alignas(64) std::array<double, tile_size> values;
  for (int trial = 0; trial < state.trials(); ++trial) {
    for (std::size_t begin = 0; begin < mine.size(); begin += static_cast<std::size_t>(tile_size)) {
      const auto tile = static_cast<std::int64_t>(begin) / tile_size;
      if (rates)
        tile_rates_of(state, trial, tile, values);
      else
        state.tile_potentials(trial, tile, values.data());
      std::copy_n(values.begin(), std::min(mine.size() - begin, values.size()),
                  mine.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    comm_.all_gather(std::span<const double>(mine),
                     std::span(observed_neurons_).subspan(static_cast<std::size_t>(trial) * channels, channels),
                     observed_counts_);
  }
}

template class Recorder<double>;
template class Recorder<float>;

}  // namespace rankflow::simulate
