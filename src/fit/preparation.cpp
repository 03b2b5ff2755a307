#include "fit/preparation.hpp"

#include <span>

#include "config/load.hpp"
#include "config/relative_paths.hpp"
#include "io/checkpoint_store.hpp"

namespace rankflow::fit {
namespace {

DataSet read_data(const config::FitVsmcOptions& options, const parallel::Communicator& comm) {
  auto data = load_data(options.data, options.model.observation.kind, comm);
  require_informative_channels(data);
  return data;
}

std::string hash_of(std::span<const double> values) {
  const auto bytes = std::as_bytes(values);
  return io::hash_of(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

Preparation::Preparation(const FitRequest& asked, const parallel::Communicator& comm)
    : request(asked),
      data(read_data(asked.options, comm)),
      split(split_data(data, asked.options.training.validation_fraction,
                       static_cast<std::uint64_t>(asked.options.run.seed))),
      model(asked.options, data.channels, data.inputs),
      start(model.initial_parameters(static_cast<std::uint64_t>(asked.options.run.seed), data)) {}

std::string Preparation::identity() const {
  // What the files hold counts, not where they lie: a fit may be moved with its data.
  auto options = request.options;
  config::RelativePaths folders_left_out;
  config::Visitor(folders_left_out).group(options);
  return io::hash_of(lasting_toml(options) + hash_of(data.observations) + hash_of(data.input_values) + hash_of(start));
}

std::string lasting_toml(config::FitVsmcOptions options) {
  options.run.wall_time = 0;
  options.run.checkpoint_every = 0;
  options.training.pause_after = 0;
  return config::resolved_toml(options);
}

std::vector<std::filesystem::path> input_files(const config::FitVsmcOptions& options) {
  std::vector<std::filesystem::path> files;
  if (!options.data.file.empty()) files.emplace_back(options.data.file);
  const auto& arrays = options.data.arrays;
  const auto& given = options.model.parameters;
  for (const auto* source :
       {&arrays.observations, &arrays.inputs, &arrays.mask, &arrays.n_steps, &given.m, &given.n, &given.input_weights,
        &given.bias, &given.initial_mean, &given.transition_cholesky, &given.initial_cholesky,
        &given.observation_weights, &given.observation_bias, &given.observation_variance})
    if (!source->path.empty()) files.emplace_back(source->path);
  return files;
}

}  // namespace rankflow::fit
