#include "network_input.hpp"

#include <cmath>

#include "fit/fit_file.hpp"
#include "io/agreement.hpp"
#include "io/file_kind.hpp"
#include "io/provenance.hpp"
#include "model/network_io.hpp"

namespace rankflow::drivers {
namespace {

/// Products of three weights, summed over neurons, stay finite.
constexpr double largest_weight = 1e100;

void require_moderate(const model::Network<double>& network, const model::NeuronArray<double>& weights,
                      const char* name, const io::File& file) {
  for (std::int64_t i = 0; i < (weights.columns() > 0 ? network.partition.count() : 0); ++i)
    for (int c = 0; c < weights.columns(); ++c)
      if (std::abs(weights.at(i, c)) > largest_weight)
        throw InputDataError(
            "dataset '/network/{}' in file '{}' holds {} (neuron {}, column {}): products of weights above {} are not "
            "finite; look at how the file was made",
            name, file.name(), weights.at(i, c), network.partition.begin() + i, c, largest_weight);
}

}  // namespace

NetworkInput read_network_input(const std::filesystem::path& path, const parallel::Communicator& comm) {
  return with_context("reading " + path.string(), [&] {
    auto file = io::File::open(comm, path);
    if (io::file_type_of(file) == io::name_of(io::FileType::fit)) fit::require_model(file);
    auto network = model::read_network<double>(io::NetworkFile::open(comm, path));
    io::on_all_ranks(comm, [&] {
      require_moderate(network, network.m, "m", file);
      require_moderate(network, network.n, "n", file);
      require_moderate(network, network.input_weights, "input_weights", file);
      require_moderate(network, network.bias, "bias", file);
    });
    return NetworkInput{std::move(file), std::move(network)};
  });
}

}  // namespace rankflow::drivers
