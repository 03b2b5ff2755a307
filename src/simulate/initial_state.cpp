#include "simulate/initial_state.hpp"

#include <array>

#include "core/error.hpp"
#include "model/small_array.hpp"
#include "parallel/draws.hpp"
#include "simulate/latent_noise.hpp"

namespace rankflow::simulate {

using parallel::tile_size;

namespace {

/// Factor L [R, R] of the random part, empty when there is none.
std::vector<double> random_part(const config::InitialOptions& options, int rank) {
  if (options.latent_cholesky.given) return read_cholesky(options.latent_cholesky, "initial.latent_cholesky", rank);
  if (options.latent_std == 0) return {};
  const auto r = static_cast<std::size_t>(rank);
  std::vector<double> factor(r * r, 0.0);
  for (std::size_t k = 0; k < r; ++k) factor[k * (r + 1)] = options.latent_std;
  return factor;
}

}  // namespace

InitialState make_initial_state(const config::InitialOptions& options, std::int64_t trials, int rank,
                                std::uint64_t seed) {
  const auto r = static_cast<std::size_t>(rank);
  InitialState initial{.latent = std::vector<double>(static_cast<std::size_t>(trials) * r, 0.0),
                       .potential_std = options.potential_std,
                       .seed = seed};
  if (options.latent.given) {
    const auto given = model::read_small_array(options.latent, "initial.latent");
    const bool one =
        given.shape == std::vector<std::int64_t>{rank} || given.shape == std::vector<std::int64_t>{1, rank};
    const bool each = given.shape == std::vector<std::int64_t>{trials, rank};
    if (!one && !each)
      throw InputDataError(
          "{}: shape {} does not fit; allowed are [rank] = [{}] for all trials or [trial, rank] = [{}, {}]",
          model::describe_source(options.latent, "initial.latent"), model::shape_text(given.shape), rank, trials, rank);
    for (std::size_t i = 0; i < initial.latent.size(); ++i) initial.latent[i] = given.values[one ? i % r : i];
  }
  if (const auto factor = random_part(options, rank); !factor.empty()) {
    const parallel::Stream stream(seed, parallel::Purpose::initial_state);
    std::vector<double> normals(r);
    for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials); ++trial) {
      parallel::normal<double>(stream, {.trial = static_cast<std::uint32_t>(trial), .step = 0}, 0, normals);
      for (std::size_t k = 0; k < r; ++k)
        for (std::size_t q = 0; q <= k; ++q) initial.latent[trial * r + k] += factor[k * r + q] * normals[q];
    }
  }
  return initial;
}

template <class T>
void initial_tile(const InitialState& initial, const model::Network<T>& network, std::int64_t trial, std::int64_t tile,
                  T* x) {
  alignas(64) std::array<double, tile_size> normals{};
  const std::int64_t count = network.partition.tile_count(tile);
  if (initial.potential_std > 0) {
    const parallel::Stream stream(initial.seed, parallel::Purpose::initial_state);
    parallel::normal<double>(stream, {.trial = static_cast<std::uint32_t>(trial), .step = 1},
                             static_cast<std::uint64_t>(network.partition.tile_begin(tile)), normals);
  }
  const double* z = initial.latent.data() + trial * network.rank;
  std::fill_n(x, tile_size, T{0});
  for (std::int64_t i = 0; i < count; ++i) {
    double potential = initial.potential_std * normals[static_cast<std::size_t>(i)];
    for (int r = 0; r < network.rank; ++r) potential += z[r] * static_cast<double>(network.m.tile(tile, r)[i]);
    x[i] = static_cast<T>(potential);
  }
}

template void initial_tile(const InitialState&, const model::Network<double>&, std::int64_t, std::int64_t, double*);
template void initial_tile(const InitialState&, const model::Network<float>&, std::int64_t, std::int64_t, float*);

}  // namespace rankflow::simulate
