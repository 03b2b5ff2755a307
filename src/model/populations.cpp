#include "model/populations.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "model/populations_covariance.hpp"
#include "parallel/draws.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::model {
namespace {

/// The normals that make up variable v, of which the network has `rank` m and n, then b, then d last.
void draw_normals(std::uint64_t seed, int variable, int rank, int inputs, std::int64_t first, TileColumn out) {
  using parallel::Purpose;
  const int input = variable - 2 * rank;
  const auto purpose = input < 0 ? Purpose::connectivity : input < inputs ? Purpose::input_weights : Purpose::bias;
  const int step = input < 0 ? variable : input < inputs ? input : 0;
  parallel::normal<double>(parallel::Stream(seed, purpose), {.step = static_cast<std::uint32_t>(step)},
                           static_cast<std::uint64_t>(first), out);
}

}  // namespace

GaussianMixture::GaussianMixture(const std::vector<config::PopulationOptions>& populations, int rank, int inputs,
                                 std::uint64_t seed)
    : rank_(rank),
      inputs_(inputs),
      seed_(seed),
      cumulative_(populations.size()),
      means_(static_cast<std::size_t>(variables()), PerPopulation(populations.size())) {
  constexpr std::size_t most = std::numeric_limits<std::uint8_t>::max() + std::size_t{1};
  if (populations.size() > most)
    throw ConfigurationError("network.populations: {} populations, at most {} are possible", populations.size(), most);
  for (std::size_t p = 0; p < populations.size(); ++p) add(populations[p], p);
  const double total = cumulative_.back();
  for (double& limit : cumulative_) limit /= total;
  require_inputs_reach();
}

void GaussianMixture::add(const config::PopulationOptions& population, std::size_t index) {
  const std::string key = fmt::format("network.populations.{}", index);
  names_.push_back(population.name.empty() ? fmt::format("population {}", index) : population.name);
  cumulative_[index] = population.weight + (index == 0 ? 0.0 : cumulative_[index - 1]);
  require_size(population.mean.size(), key + ".mean");
  require_size(population.covariance.size(), key + ".covariance");
  for (std::size_t v = 0; v < population.mean.size(); ++v) means_[v][index] = population.mean[v];
  const auto root = square_root(population.covariance, key + ".covariance");
  for (std::size_t to = 0; to < root.size(); ++to)
    for (std::size_t from = 0; from < root.size(); ++from) {
      if (root[to][from] == 0.0) continue;
      const auto same = [&](const Factor& f) { return std::cmp_equal(f.to, to) && std::cmp_equal(f.from, from); };
      auto factor = std::find_if(factors_.begin(), factors_.end(), same);
      if (factor == factors_.end())
        factor =
            factors_.insert(factor, {static_cast<int>(to), static_cast<int>(from), PerPopulation(cumulative_.size())});
      factor->value[index] = root[to][from];
    }
}

void GaussianMixture::require_size(std::size_t found, const std::string& key) const {
  if (std::cmp_less_equal(found, variables())) return;
  throw ConfigurationError(
      "{} covers {} variables, but with network.rank = {} and {} input channel(s) a neuron has {}: {} of m, {} of n, "
      "{} "
      "input weight(s), 1 bias; shorten it, or correct network.rank or the inputs",
      key, found, rank_, inputs_, variables(), rank_, rank_, inputs_);
}

bool GaussianMixture::varies(int variable) const {
  const auto& means = means_[static_cast<std::size_t>(variable)];
  return std::any_of(means.begin(), means.end(), [](double mean) { return mean != 0.0; }) ||
         std::any_of(factors_.begin(), factors_.end(), [&](const Factor& f) { return f.to == variable; });
}

void GaussianMixture::require_inputs_reach() const {
  for (int channel = 0; channel < inputs_; ++channel)
    if (!varies(2 * rank_ + channel))
      throw ConfigurationError(
          "input channel {} would reach no neuron: no entry of network.populations gives its input weight (variable {} "
          "of mean and covariance) a mean or variance other than 0; add one or remove the input",
          channel, 2 * rank_ + channel);
}

bool GaussianMixture::has_bias() const {
  return varies(2 * rank_ + inputs_);
}

void GaussianMixture::choose(std::int64_t first, LoadingTile& tile) const {
  const auto population = tile.population();
  if (cumulative_.size() == 1) {
    std::fill(population.begin(), population.end(), std::uint8_t{0});
    return;
  }
  std::array<double, parallel::tile_length> chance;
  parallel::uniform<double>(parallel::Stream(seed_, parallel::Purpose::population_choice), {},
                            static_cast<std::uint64_t>(first), chance);
  for (std::size_t i = 0; i < parallel::tile_length; ++i) {
    const auto limit = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, chance[i]);
    population[i] = static_cast<std::uint8_t>(limit - cumulative_.begin());
  }
}

void GaussianMixture::fill(std::int64_t first, LoadingTile& tile) const {
  choose(first, tile);
  const auto population = tile.population();
  for (int v = 0; v < variables(); ++v) {
    const auto& mean = means_[static_cast<std::size_t>(v)];
    const auto out = tile.variable(v);
    for (std::size_t i = 0; i < parallel::tile_length; ++i) out[i] = mean[population[i]];
  }
  std::array<double, parallel::tile_length> normals;
  for (int from = 0; from < variables(); ++from) {
    bool drawn = false;
    for (const Factor& factor : factors_) {
      if (factor.from != from) continue;
      if (!drawn) draw_normals(seed_, from, rank_, inputs_, first, normals);
      drawn = true;
      const auto out = tile.variable(factor.to);
      for (std::size_t i = 0; i < parallel::tile_length; ++i) out[i] += factor.value[population[i]] * normals[i];
    }
  }
}

}  // namespace rankflow::model
