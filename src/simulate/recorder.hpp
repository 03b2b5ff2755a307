#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/simulate_options.hpp"
#include "io/run_file.hpp"
#include "model/inputs.hpp"
#include "model/network.hpp"
#include "model/observation.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/engine.hpp"

namespace rankflow::simulate {

/// Where the trajectories of a run or of a synthetic recording lie in its file.
struct RecordPaths {
  std::string latent = "/trajectory/latent";
  std::string inputs = "/trajectory/inputs";
  std::string observations = "/trajectory/observations";
  std::string group = "/trajectory";  ///< of all others
};

/// Turns states into rows of the output file: latents always; rates or potentials of chosen neurons, population means,
/// inputs and observations when asked for. Holds one block of rows; the rest is in the file.
template <class T>
class Recorder final : public RowSink {
 public:
  struct Parts {
    const config::OutputOptions& output;
    const model::Network<T>& network;
    const model::Observation* observation;  ///< may be null
    model::Inputs inputs;
    std::vector<double> row_times;
    std::int64_t trials;
    RecordPaths paths;
  };

  /// Throws ConfigurationError when a chosen neuron does not exist. Collective.
  Recorder(Parts parts, const parallel::Communicator& comm);

  /// Adds the datasets of the trajectories to a file's layout.
  void describe(io::RunLayout& layout) const;
  /// Rows go to this file from now on; it must outlive the recorder's use. Collective.
  void attach(io::RunFile& file);
  /// Bytes of the trajectories in the file.
  std::uint64_t file_bytes() const;
  /// Bytes of the row buffers of one rank when all trials are written together.
  std::uint64_t buffer_bytes() const;

  std::int64_t rows_per_block(int trials) const override;
  void open_block(int first_trial, int trials, std::int64_t first_row) override;
  void record(std::int64_t row, const StateView& state) override;
  void close_block() override;

 private:
  /// One dataset [trial, time, width]: this rank writes [offset, offset + local) of the last axis.
  struct Field {
    io::DatasetSpec spec;
    std::size_t local = 0;
    std::size_t offset = 0;
    /// Values of one trial in view; called after the collective quantities of the row are known.
    std::function<void(const StateView&, int trial, std::int64_t row, std::span<double> out)> fill;
    std::vector<double> staged;  ///< [row, trial, local]
  };

  void choose_neurons();
  void add_field(const std::string& path, const std::string& dimension, std::size_t width, std::size_t local,
                 std::size_t offset, const std::string& units, const std::string& long_name,
                 decltype(Field::fill) fill);
  void add_fields();
  void add_neuron_field(const std::string& name, bool rates);
  void add_observations();
  void observe(const StateView& state, int trial, std::int64_t row, std::span<double> observed);
  void fill_neurons(const StateView& state, int trial, bool rates, std::span<double> out);
  void tile_rates_of(const StateView& state, int trial, std::int64_t tile, std::span<double> rates) const;
  void compute_shared(const StateView& state);
  void compute_population_means(const StateView& state);
  void gather_observed_neurons(const StateView& state);

  Parts parts_;
  const parallel::Communicator& comm_;
  io::RunFile* file_ = nullptr;
  std::vector<std::int64_t> chosen_;  ///< local indices of the chosen neurons on this rank
  std::size_t chosen_before_ = 0;     ///< chosen neurons on lower ranks
  std::size_t chosen_total_ = 0;
  std::vector<Field> fields_;
  std::vector<double> latents_, population_means_, observed_neurons_;  ///< of the row being recorded, by trial
  std::vector<std::int64_t> observed_counts_;                          ///< observed neurons by rank
  std::vector<double> population_sizes_;
  std::optional<parallel::ReproducibleSum> population_sum_;
  int first_trial_ = 0;
  int trials_in_block_ = 0;
  std::int64_t first_row_ = 0;
  std::int64_t rows_in_block_ = 0;
};

}  // namespace rankflow::simulate
