#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "config/simulate_options.hpp"
#include "model/bulk.hpp"
#include "model/network.hpp"
#include "model/observation.hpp"
#include "parallel/communicator.hpp"
#include "simulate/engine.hpp"
#include "simulate/recorder.hpp"

namespace rankflow::simulate {

/// The network a simulation runs on, without the simulation. Collective.
template <class T>
model::Network<T> make_network(const config::SimulateOptions& options, const parallel::Communicator& comm);

/// All parts of one simulation, put together from the options. T: precision of weights and potentials.
template <class T>
class Assembly {
 public:
  /// `comm` must outlive the assembly. Collective.
  Assembly(const config::SimulateOptions& options, const RecordPaths& paths, const parallel::Communicator& comm);

  const model::Network<T>& network() const noexcept { return network_; }
  const model::Observation* observation() const noexcept { return observation_ ? &*observation_ : nullptr; }
  Engine& engine() noexcept { return *engine_; }
  Recorder<T>& recorder() noexcept { return *recorder_; }

 private:
  model::Inputs make_inputs() const;
  void make_engine();

  const config::SimulateOptions& options_;
  const parallel::Communicator& comm_;
  std::vector<double> row_times_;
  model::Network<T> network_;
  std::optional<model::Observation> observation_;
  std::unique_ptr<Recorder<T>> recorder_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace rankflow::simulate
