#include "simulate/output_check.hpp"

#include <array>

#include "config/load.hpp"
#include "config/relative_paths.hpp"
#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "io/hdf5_file.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {
namespace {

/// The configuration without what may change between sessions of one run.
std::string lasting_toml(config::SimulateOptions options) {
  options.run.wall_time = 0;
  options.run.checkpoint_every = 0;
  return config::resolved_toml(options);
}

/// Exact sums of every column and of its square: another network has others.
template <class T>
std::string digest_of(const model::Network<T>& network, const parallel::Communicator& comm) {
  std::string digest;
  for (const auto* array : {&network.m, &network.n, &network.input_weights, &network.bias, &network.tau}) {
    const auto columns = static_cast<std::size_t>(array->columns());
    if (columns == 0) continue;
    parallel::ReproducibleSum sum(2 * columns);
    alignas(64) static constexpr std::array<T, parallel::tile_size> ones = [] {
      std::array<T, parallel::tile_size> values{};
      values.fill(T{1});
      return values;
    }();
    for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
      const auto count = tile_weights(network, tile).count;
      for (std::size_t c = 0; c < columns; ++c) {
        const T* column = array->tile(tile, static_cast<int>(c));
        sum.add(2 * c, static_cast<double>(tile_dot(column, ones.data(), count)));
        sum.add(2 * c + 1, static_cast<double>(tile_dot(column, column, count)));
      }
    }
    std::vector<double> values(2 * columns);
    sum.reduce(comm, values);
    for (const double value : values) digest += fmt::format(" {:a}", value);
  }
  return digest;
}

}  // namespace

std::vector<std::filesystem::path> input_files(const config::SimulateOptions& options) {
  std::vector<std::filesystem::path> files;
  const auto add = [&](const config::ArraySource& source) {
    if (!source.path.empty()) files.emplace_back(source.path);
  };
  if (options.network.source == config::NetworkSource::file) files.emplace_back(options.network.file);
  const auto& arrays = options.network.arrays;
  for (const auto* source : {&arrays.m, &arrays.n, &arrays.input_weights, &arrays.bias, &arrays.tau}) add(*source);
  add(options.initial.latent);
  add(options.initial.latent_cholesky);
  add(options.noise.latent_cholesky);
  for (const auto& input : options.inputs) add(input.array);
  if (options.observation) {
    add(options.observation->weights);
    add(options.observation->input_weights);
    add(options.observation->bias);
    add(options.observation->variance);
  }
  return files;
}

io::Earlier check_output(const Request& request, const parallel::Communicator& comm) {
  auto inputs = input_files(request.options);
  if (!request.source.empty()) inputs.push_back(request.source);
  return io::check_output({.path = request.output,
                           .type = request.type,
                           .inputs = std::move(inputs),
                           .resume = request.resume,
                           .overwrite = request.overwrite},
                          comm);
}

void require_same_configuration(const Request& request, const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, request.output);
  const auto stored = file.attribute("/provenance", "configuration");
  const auto* text = stored ? std::get_if<std::string>(&*stored) : nullptr;
  if (text == nullptr) throw InputDataError("{} does not say which configuration made it", request.output.string());
  auto earlier = config::load_text<config::SimulateOptions>(*text, request.output.string(), {}).options;
  earlier.output.inputs = request.options.output.inputs;
  if (lasting_toml(earlier) != lasting_toml(request.options))
    throw ConfigurationError(
        "{} is complete, but was made with another configuration (see inspect); choose another "
        "output, or leave out --resume to replace it",
        request.output.string());
}

template <class T>
std::string run_identity(const config::SimulateOptions& options, const model::Network<T>& network,
                         const parallel::Communicator& comm) {
  // What the files hold counts, not where they lie: a run may be moved with them.
  auto named = options;
  config::RelativePaths folders_left_out;
  config::Visitor(folders_left_out).group(named);
  std::string identity = lasting_toml(named) + digest_of(network, comm);
  for (const auto& file : input_files(options)) identity += " " + io::content_of(file, comm);
  return io::hash_of(identity);
}

template std::string run_identity(const config::SimulateOptions&, const model::Network<double>&,
                                  const parallel::Communicator&);
template std::string run_identity(const config::SimulateOptions&, const model::Network<float>&,
                                  const parallel::Communicator&);

}  // namespace rankflow::simulate
