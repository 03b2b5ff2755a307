#include "simulate/latent_noise.hpp"

#include "core/error.hpp"
#include "model/small_array.hpp"
#include "parallel/draws.hpp"

namespace rankflow::simulate {

std::vector<double> read_cholesky(const config::ArraySource& source, const char* key, int rank) {
  auto given = model::read_small_array(source, key);
  if (given.shape != std::vector<std::int64_t>{rank, rank})
    throw InputDataError("{}: shape {} does not fit, expected [rank, rank] = [{}, {}]",
                         model::describe_source(source, key), model::shape_text(given.shape), rank, rank);
  const auto r = static_cast<std::size_t>(rank);
  for (std::size_t row = 0; row < r; ++row)
    for (std::size_t column = row + 1; column < r; ++column)
      if (given.values[row * r + column] != 0.0)
        throw InputDataError("{}: entry [{}, {}] = {} lies above the diagonal; L must be lower triangular",
                             model::describe_source(source, key), row, column, given.values[row * r + column]);
  return std::move(given.values);
}

LatentNoise::LatentNoise(const config::NoiseOptions& options, int rank, std::uint64_t seed)
    : stream_(seed, parallel::Purpose::latent_noise), normals_(static_cast<std::size_t>(rank)) {
  const auto r = static_cast<std::size_t>(rank);
  if (options.latent_cholesky.given) {
    cholesky_ = read_cholesky(options.latent_cholesky, "noise.latent_cholesky", rank);
  } else if (options.latent > 0) {
    cholesky_.assign(r * r, 0.0);
    for (std::size_t k = 0; k < r; ++k) cholesky_[k * r + k] = options.latent;
  }
}

void LatentNoise::add(std::int64_t trial, std::int64_t step, double scale, std::span<double> values) const {
  if (empty()) return;
  parallel::normal<double>(
      stream_, {.trial = static_cast<std::uint32_t>(trial), .step = static_cast<std::uint32_t>(step)}, 0, normals_);
  const std::size_t r = values.size();
  for (std::size_t row = 0; row < r; ++row) {
    double sum = 0;
    for (std::size_t column = 0; column <= row; ++column) sum += cholesky_[row * r + column] * normals_[column];
    values[row] += scale * sum;
  }
}

}  // namespace rankflow::simulate
