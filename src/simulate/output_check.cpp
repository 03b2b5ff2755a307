#include "simulate/output_check.hpp"

#include <array>
#include <fstream>
#include <sstream>

#include "config/load.hpp"
#include "core/error.hpp"
#include "io/agreement.hpp"
#include "io/checkpoint_store.hpp"
#include "io/file_system.hpp"
#include "io/hdf5_file.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {
namespace {

constexpr std::uintmax_t largest_hashed_file = std::uintmax_t{64} << 20;

/// The same answer on every rank although only rank 0 looks.
bool rank_zero_sees(const parallel::Communicator& comm, bool mine) {
  return comm.any(comm.is_root() && mine);
}

void refuse_inputs(const Request& request, const parallel::Communicator& comm) {
  auto inputs = input_files(request.options);
  if (!request.source.empty()) inputs.push_back(request.source);
  for (const auto& input : inputs) {
    std::error_code ignored;
    if (rank_zero_sees(comm, std::filesystem::equivalent(input, request.output, ignored)))
      throw ConfigurationError("{} is both the output and a file the configuration reads; choose another output",
                               request.output.string());
  }
}

Earlier look_at_result(const Request& request, const parallel::Communicator& comm) {
  try {
    const auto file = io::File::open(comm, request.output);
    io::require_file_type(file, request.type);
    const auto status = file.attribute("/provenance", "status");
    const bool complete = status && *status == io::Attribute(io::name_of(io::Status::complete));
    return complete || !request.resume ? Earlier::complete : Earlier::nothing;
  } catch (const InputDataError& error) {
    throw ConfigurationError("{} exists and is no {} file of Rankflow ({}); choose another output{}",
                             request.output.string(), io::name_of(request.type), error.what(),
                             request.resume ? "" : ", or replace it with --overwrite");
  }
}

/// The configuration without what may change between sessions of one run.
std::string lasting_toml(config::SimulateOptions options) {
  options.run.wall_time = 0;
  options.run.checkpoint_every = 0;
  return config::resolved_toml(options);
}

std::string content_of(const std::filesystem::path& path, const parallel::Communicator& comm) {
  std::string digest;
  if (comm.is_root()) {
    std::error_code ignored;
    const auto size = std::filesystem::file_size(path, ignored);
    std::ostringstream text;
    if (!ignored && size <= largest_hashed_file) text << std::ifstream(path, std::ios::binary).rdbuf();
    digest = fmt::format("{} {}", size, io::hash_of(text.str()));
  }
  comm.broadcast(digest);
  return digest;
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
    add(options.observation->bias);
    add(options.observation->variance);
  }
  return files;
}

Earlier check_output(const Request& request, const parallel::Communicator& comm) {
  io::on_root(comm, [&] { io::require_possible_target(request.output); });
  refuse_inputs(request, comm);
  std::error_code ignored;
  if (!rank_zero_sees(comm, std::filesystem::exists(request.output, ignored))) return Earlier::nothing;
  const io::CheckpointStore store(request.output, comm, "");
  const bool unfinished = !store.sequences().empty();
  if (unfinished && !request.resume && !request.overwrite)
    throw ConfigurationError(
        "{} is an unfinished run with a checkpoint; continue it with --resume, or discard it with --overwrite",
        request.output.string());
  if (unfinished) return Earlier::unfinished;
  if (request.overwrite) return Earlier::nothing;
  return look_at_result(request, comm);
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
  std::string identity = lasting_toml(options) + digest_of(network, comm);
  for (const auto& file : input_files(options)) identity += " " + content_of(file, comm);
  return io::hash_of(identity);
}

template std::string run_identity(const config::SimulateOptions&, const model::Network<double>&,
                                  const parallel::Communicator&);
template std::string run_identity(const config::SimulateOptions&, const model::Network<float>&,
                                  const parallel::Communicator&);

}  // namespace rankflow::simulate
