#pragma once
// Runs the SUNDIALS engine of a hand-made network into memory.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "simulate/sundials_engine.hpp"
#include "simulate/sundials_networks.hpp"

namespace rankflow::simulate::test {

/// Keeps every recorded row, and checks that blocks come as the contract says.
class MemorySink final : public RowSink {
 public:
  using Key = std::pair<int, std::int64_t>;  ///< trial, row

  MemorySink(int rank, const parallel::Partition& partition, std::int64_t capacity = 3)
      : rank_(rank), partition_(partition), capacity_(capacity) {}

  std::int64_t rows_per_block(int) const override { return capacity_; }
  void open_block(int, int trials, std::int64_t first_row) override {
    if (open_ || trials != 1) throw InternalError("a block was left open, or has {} trials", trials);
    open_ = true;
    next_row_ = first_row;
    held_ = 0;
  }
  void record(std::int64_t row, const StateView& state) override {
    if (!open_ || row != next_row_++ || ++held_ > capacity_) throw InternalError("row {} is out of place", row);
    const Key key{state.first_trial(), row};
    auto& z = latents[key];
    z.resize(static_cast<std::size_t>(rank_));
    state.latents(z);
    auto& x = potentials[key];
    for (std::int64_t tile = 0; tile < partition_.tiles(); ++tile) {
      alignas(64) std::array<double, parallel::tile_size> values;
      state.tile_potentials(0, tile, values.data());
      x.insert(x.end(), values.begin(), values.begin() + partition_.tile_count(tile));
    }
    if (++records_ == signal_after_) std::raise(SIGTERM);
  }
  void close_block() override {
    if (!open_) throw InternalError("closed a block that was not open");
    open_ = false;
  }
  /// Asks to stop, as a scheduler would, when so many rows were recorded.
  void signal_after(int records) { signal_after_ = records; }

  const std::vector<double>& z(std::int64_t row, int trial = 0) const { return latents.at({trial, row}); }

  std::map<Key, std::vector<double>> latents;
  std::map<Key, std::vector<double>> potentials;

 private:
  int rank_;
  parallel::Partition partition_;
  std::int64_t capacity_;
  bool open_ = false;
  std::int64_t next_row_ = 0;
  std::int64_t held_ = 0;
  int records_ = 0;
  int signal_after_ = -1;
};

struct Experiment {
  NetworkRecipe recipe = {};
  config::SimulateOptions options = {};
  std::vector<double> row_times = {};
  std::vector<double> latent = {};  ///< [trial, R]; empty: 0.8 + 0.3 r + 0.1 trial
  double potential_std = 0.0;
};

inline std::vector<double> times(int count, double duration) {
  std::vector<double> rows;
  for (int k = 0; k <= count; ++k) rows.push_back(duration * k / count);
  return rows;
}

inline InitialState initial_of(const Experiment& setup) {
  InitialState initial{.latent = setup.latent, .potential_std = setup.potential_std, .seed = 17};
  if (initial.latent.empty()) {
    for (int trial = 0; trial < setup.options.time.trials; ++trial)
      for (int r = 0; r < setup.recipe.rank; ++r) initial.latent.push_back(0.8 - 0.5 * r + 0.1 * trial);
  }
  return initial;
}

/// A network and an engine on it.
struct Bench {
  explicit Bench(const Experiment& setup, const parallel::Communicator& communicator = serial(),
                 std::optional<model::Network<double>> given = {})
      : comm(communicator),
        network(given ? std::move(*given) : make_network(setup.recipe, comm)),
        engine(make_sundials_engine(
            setup.options, network, model::make_bulk(setup.options.network.bulk, network.partition, comm, 3),
            model::Inputs(setup.options.inputs, setup.options.time.trials, setup.options.time.step, network.inputs, 3),
            initial_of(setup), setup.row_times, comm)),
        sink(network.rank, network.partition) {}

  static const parallel::Communicator& serial() {
    static const parallel::Communicator twin;
    return twin;
  }
  /// Interval 0: every poll looks for signals.
  bool run() {
    parallel::HaltMonitor halt(comm, {.interval = 0.0});
    return engine->run(sink, halt);
  }
  std::int64_t count(const std::string& name, std::size_t trial = 0) const {
    for (const auto& counter : engine->counters())
      if (counter.name == name) return counter.values.at(trial);
    throw InternalError("no counter {}", name);
  }

  const parallel::Communicator& comm;
  model::Network<double> network;
  std::unique_ptr<Engine> engine;
  MemorySink sink;
};

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = a.size() == b.size() ? 0.0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Largest difference of all recorded potentials.
inline double largest_difference(const MemorySink& a, const MemorySink& b) {
  double largest = a.potentials.size() == b.potentials.size() ? 0.0 : std::numeric_limits<double>::infinity();
  for (const auto& [key, x] : a.potentials) largest = std::max(largest, largest_difference(x, b.potentials.at(key)));
  return largest;
}

inline config::InputOptions sinusoid(double amplitude, double frequency) {
  config::InputOptions input;
  input.kind = config::InputKind::sinusoid;
  input.amplitude = amplitude;
  input.frequency = frequency;
  input.phase = 0.4;
  return input;
}

inline config::InputOptions pulse(double start, double stop, double amplitude) {
  config::InputOptions input;
  input.kind = config::InputKind::pulse;
  input.start = start;
  input.stop = stop;
  input.amplitude = amplitude;
  return input;
}

}  // namespace rankflow::simulate::test
