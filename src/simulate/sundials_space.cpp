#include "simulate/sundials_space.hpp"

#include <algorithm>

#include <nvector/nvector_serial.h>

#include "core/error.hpp"
#include "simulate/latent_projection.hpp"
#include "simulate/latent_system.hpp"
#include "simulate/neuron_system.hpp"
#include "simulate/tile_kernels.hpp"
#include "simulate/tiled_vector.hpp"

namespace rankflow::simulate {
namespace {

using parallel::tile_size;

class NeuronSpace final : public SundialsSpace {
 public:
  NeuronSpace(const model::Network<double>& network, std::unique_ptr<model::Bulk> bulk, model::Inputs& inputs,
              const InitialState& initial, int trials, const parallel::Communicator& comm)
      : network_(network),
        comm_(comm),
        bulk_(std::move(bulk)),
        system_(network, bulk_.get(), inputs, comm),
        projection_(network, comm),
        potentials_(network.partition, trials) {
    for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile)
      for (int trial = 0; trial < trials; ++trial)
        initial_tile(initial, network, trial, tile, potentials_.tile(tile, trial));
  }

  OdeSystem& system() override { return system_; }
  VectorHandle make_vector(SUNContext context) const override {
    return make_tiled_vector(network_.partition, comm_, context);
  }

  void load(int trial, N_Vector y) const override {
    for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile)
      std::copy_n(potentials_.tile(tile, trial), tile_size, tiled_values(y).tile(tile, 0));
  }
  void store(int trial, N_Vector y) override {
    for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile)
      std::copy_n(tiled_values(y).tile(tile, 0), tile_size, potentials_.tile(tile, trial));
  }

  void latents(N_Vector y, std::span<double> z) const override {
    const model::NeuronArray<double>* state = &tiled_values(y);
    projection_.project(std::span(&state, 1), z);
  }
  void tile_potentials(N_Vector y, std::int64_t tile, double* x) const override {
    std::copy_n(tiled_values(y).tile(tile, 0), tile_size, x);
  }
  void stored_latents(std::span<double> z) const override {
    projection_.project_columns(potentials_, 0, potentials_.columns(), z);
  }
  void stored_tile_potentials(int trial, std::int64_t tile, double* x) const override {
    std::copy_n(potentials_.tile(tile, trial), tile_size, x);
  }

  void save(io::CheckpointWriter& checkpoint) const override {
    checkpoint.neurons<double>("potentials", network_.partition, static_cast<std::size_t>(potentials_.columns()),
                               potentials_.values());
  }
  void resume(const io::CheckpointReader& checkpoint) override {
    checkpoint.neurons<double>("potentials", network_.partition, static_cast<std::size_t>(potentials_.columns()),
                               potentials_.values());
  }

 private:
  const model::Network<double>& network_;
  const parallel::Communicator& comm_;
  std::unique_ptr<model::Bulk> bulk_;
  NeuronSystem system_;
  LatentProjection<double> projection_;
  model::NeuronArray<double> potentials_;  ///< [N, trial]
};

class LatentSpace final : public SundialsSpace {
 public:
  LatentSpace(const model::Network<double>& network, model::Inputs& inputs, const InitialState& initial, int trials,
              const parallel::Communicator& comm)
      : network_(network),
        system_(network, inputs, comm),
        rank_(static_cast<std::size_t>(network.rank)),
        size_(static_cast<std::size_t>(system_.local_size())),
        states_(static_cast<std::size_t>(trials) * size_, 0.0) {
    for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials); ++trial)
      for (std::size_t r = 0; r < rank_; ++r) states_[trial * size_ + r] = initial.latent[trial * rank_ + r];
  }

  OdeSystem& system() override { return system_; }
  VectorHandle make_vector(SUNContext context) const override {
    VectorHandle vector(N_VNew_Serial(static_cast<sunindextype>(size_), context));
    if (vector == nullptr) throw std::bad_alloc();
    return vector;
  }

  void load(int trial, N_Vector y) const override { std::copy_n(stored(trial), size_, N_VGetArrayPointer(y)); }
  void store(int trial, N_Vector y) override {
    std::copy_n(N_VGetArrayPointer(y), size_, states_.data() + static_cast<std::size_t>(trial) * size_);
  }

  void latents(N_Vector y, std::span<double> z) const override { std::copy_n(N_VGetArrayPointer(y), rank_, z.begin()); }
  void tile_potentials(N_Vector y, std::int64_t tile, double* x) const override {
    potentials_of(N_VGetArrayPointer(y), tile, x);
  }
  void stored_latents(std::span<double> z) const override {
    for (std::size_t trial = 0; trial * size_ < states_.size(); ++trial)
      std::copy_n(states_.begin() + static_cast<std::ptrdiff_t>(trial * size_), rank_,
                  z.begin() + static_cast<std::ptrdiff_t>(trial * rank_));
  }
  void stored_tile_potentials(int trial, std::int64_t tile, double* x) const override {
    potentials_of(stored(trial), tile, x);
  }

  void save(io::CheckpointWriter& checkpoint) const override { checkpoint.values<double>("latent_state", states_); }
  void resume(const io::CheckpointReader& checkpoint) override {
    auto states = checkpoint.values<double>("latent_state");
    if (states.size() != states_.size())
      throw InputDataError("the checkpoint holds {} latent values, the run needs {}", states.size(), states_.size());
    states_ = std::move(states);
  }

 private:
  const double* stored(int trial) const { return states_.data() + static_cast<std::size_t>(trial) * size_; }
  /// x = m z + b v
  void potentials_of(const double* state, std::int64_t tile, double* x) const {
    std::fill_n(x, tile_size, 0.0);
    drive_tile(tile_weights(network_, tile), state, state + rank_, x);
  }

  const model::Network<double>& network_;
  LatentSystem system_;
  std::size_t rank_;
  std::size_t size_;            ///< R + I
  std::vector<double> states_;  ///< [trial, R + I]
};

}  // namespace

std::unique_ptr<SundialsSpace> make_sundials_space(config::Space space, const model::Network<double>& network,
                                                   std::unique_ptr<model::Bulk> bulk, model::Inputs& inputs,
                                                   const InitialState& initial, int trials,
                                                   const parallel::Communicator& comm) {
  if (space == config::Space::neuron)
    return std::make_unique<NeuronSpace>(network, std::move(bulk), inputs, initial, trials, comm);
  if (bulk != nullptr)
    throw ConfigurationError(
        "integration.space: \"latent\" is not exact with a random bulk (network.bulk); use \"neuron\"");
  return std::make_unique<LatentSpace>(network, inputs, initial, trials, comm);
}

}  // namespace rankflow::simulate
