#include "model/observation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "model/small_array.hpp"
#include "parallel/draws.hpp"

namespace rankflow::model {
namespace {

using config::Link;
using config::ObservationKind;
using config::ObservationSource;

/// Draws of the noise stream: the observations, and apart from them the weights.
constexpr std::uint32_t noise_index = 0;
constexpr std::uint32_t weight_index = 1;
/// Counts above this are no longer exact in a double (and refused by parallel::poisson).
constexpr double largest_mean = 4503599627370496.0;
/// Channels whose counts are drawn at once, to stay on the stack; whole tiles of random numbers.
constexpr std::size_t count_block = 256;

double softplus(double s) {
  return std::max(s, 0.0) + std::log1p(std::exp(-std::abs(s)));
}

double apply(Link link, double s) {
  switch (link) {
    case Link::exponential:
      return std::exp(s);
    case Link::softplus:
      return softplus(s);
    case Link::relu:
      return s < 0.0 ? 0.0 : s;  // this way round NaN is passed on
    case Link::identity:
      break;
  }
  return s;
}

const char* name_of(Link link) {
  switch (link) {
    case Link::exponential:
      return "exponential";
    case Link::softplus:
      return "softplus";
    case Link::relu:
      return "relu";
    case Link::identity:
      break;
  }
  return "identity";
}

/// Values of `source`, which must have the shape [channels] (or [channels, rank] when rank > 0).
std::vector<double> read_channels(const config::ArraySource& source, const char* key, int channels, int rank,
                                  const char* names) {
  auto array = read_small_array(source, key);
  std::vector<std::int64_t> wanted{channels};
  if (rank > 0) wanted.push_back(rank);
  if (array.shape != wanted)
    throw InputDataError("{} has shape {}, but {} = {} is needed: give an array of that shape{}",
                         describe_source(source, key), shape_text(array.shape), names, shape_text(wanted),
                         rank > 0 ? ", or set its transpose option if its axes are in the other order" : "");
  return std::move(array.values);
}

int count_channels(const config::ObservationOptions& options) {
  if (options.channels > 0) return static_cast<int>(options.channels);
  if (!options.weights.given)
    throw ConfigurationError(
        "observation.channels is 0 and there are no observation.weights to count the channels from: give one of them");
  const auto shape = small_array_shape(options.weights, "observation.weights");
  if (shape.empty() || shape.front() == 0)
    throw InputDataError("{} has shape {}: it holds no channel",
                         describe_source(options.weights, "observation.weights"), shape_text(shape));
  return static_cast<int>(shape.front());
}

std::vector<double> random_weights(const parallel::Stream& stream, int channels, int rank, double std) {
  std::vector<double> weights(static_cast<std::size_t>(channels) * static_cast<std::size_t>(rank));
  std::vector<double> column(static_cast<std::size_t>(channels));
  for (int r = 0; r < rank; ++r) {
    // A weight belongs to (channel, latent) whatever their numbers, so that a wider observation only adds.
    const parallel::Draw draw{.step = static_cast<std::uint32_t>(r), .index = weight_index};
    parallel::normal<double>(stream, draw, 0, column);
    for (std::size_t c = 0; c < column.size(); ++c)
      weights[c * static_cast<std::size_t>(rank) + static_cast<std::size_t>(r)] = std * column[c];
  }
  return weights;
}

std::vector<double> make_weights(const config::ObservationOptions& options, int channels, int rank,
                                 const parallel::Stream& stream) {
  const bool latent = options.source == ObservationSource::latent;
  if (options.weights.given)
    return read_channels(options.weights, "observation.weights", channels, latent ? rank : 0,
                         latent ? "[channel, rank]" : "[channel]");
  if (latent) return random_weights(stream, channels, rank, options.weight_std);
  return std::vector<double>(static_cast<std::size_t>(channels), 1.0);
}

std::vector<double> read_input_weights(const config::ArraySource& source, int channels) {
  auto array = read_small_array(source, "observation.input_weights");
  if (array.shape.size() != 2 || array.shape[0] != channels)
    throw InputDataError("{} has shape {}, but [channel, input] with {} channels is needed",
                         describe_source(source, "observation.input_weights"), shape_text(array.shape), channels);
  return std::move(array.values);
}

std::vector<double> make_bias(const config::ObservationOptions& options, int channels) {
  if (options.bias.given) return read_channels(options.bias, "observation.bias", channels, 0, "[channel]");
  return std::vector<double>(static_cast<std::size_t>(channels), options.bias_mean);
}

std::vector<double> make_variance(const config::ObservationOptions& options, int channels) {
  if (options.kind == ObservationKind::poisson) return {};
  if (!options.variance.given)
    return std::vector<double>(static_cast<std::size_t>(channels), options.std * options.std);
  auto variance = read_channels(options.variance, "observation.variance", channels, 0, "[channel]");
  const auto negative = std::find_if(variance.begin(), variance.end(), [](double v) { return v < 0.0; });
  if (negative != variance.end())
    throw InputDataError("{}: value at [{}] is {}: a variance must not be negative",
                         describe_source(options.variance, "observation.variance"), negative - variance.begin(),
                         *negative);
  return variance;
}

}  // namespace

Observation::Observation(const config::ObservationOptions& options, int rank, std::uint64_t seed)
    : options_(options),
      rank_(rank),
      channels_(count_channels(options)),
      noise_(seed, parallel::Purpose::observation_noise) {
  weights_ = make_weights(options, channels_, rank, noise_);
  if (options.input_weights.given) input_weights_ = read_input_weights(options.input_weights, channels_);
  bias_ = make_bias(options, channels_);
  variance_ = make_variance(options, channels_);
  if (!options_.link) options_.link = kind() == ObservationKind::poisson ? Link::softplus : Link::identity;
}

void Observation::mean(std::span<const double> state, std::span<double> mean, std::span<const double> inputs) const {
  const auto rank = static_cast<std::size_t>(rank_);
  for (std::size_t c = 0; c < bias_.size(); ++c) {
    double drive = bias_[c];
    if (source() == ObservationSource::latent) {
      for (std::size_t r = 0; r < rank; ++r) drive += weights_[c * rank + r] * state[r];
    } else {
      drive += weights_[c] * state[c];
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) drive += input_weights_[c * inputs.size() + k] * inputs[k];
    mean[c] = apply(*options_.link, drive);
  }
}

void Observation::check_means(std::int64_t trial, std::int64_t row, std::span<const double> mean) const {
  const bool counts = kind() == ObservationKind::poisson;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    if (std::isfinite(mean[c]) && !(counts && (mean[c] < 0.0 || mean[c] > largest_mean))) continue;
    const auto found =
        fmt::format("observation: the mean of channel {} in trial {}, row {} is {}", c, trial, row, mean[c]);
    if (mean[c] < 0.0 && std::isfinite(mean[c]))
      throw NumericalError(
          "{}, but a Poisson mean cannot be negative (observation.link is \"{}\"): use link = \"softplus\"", found,
          name_of(*options_.link));
    if (std::isfinite(mean[c]))
      throw NumericalError("{}, but Poisson counts are drawn up to a mean of {}: use smaller weights or bias", found,
                           largest_mean);
    throw NumericalError("{}, but it must be finite: has the state diverged, or does link = \"{}\" overflow?", found,
                         name_of(*options_.link));
  }
}

void Observation::draw(std::int64_t trial, std::int64_t row, std::span<const double> mean,
                       std::span<double> observed) const {
  check_means(trial, row, mean);
  const parallel::Draw draw{
      .trial = static_cast<std::uint32_t>(trial), .step = static_cast<std::uint32_t>(row), .index = noise_index};
  if (kind() == ObservationKind::gaussian) {
    parallel::normal<double>(noise_, draw, 0, observed);
    for (std::size_t c = 0; c < mean.size(); ++c) observed[c] = mean[c] + std::sqrt(variance_[c]) * observed[c];
    return;
  }
  std::array<std::int64_t, count_block> counts;
  for (std::size_t first = 0; first < mean.size(); first += count_block) {
    const std::size_t size = std::min(count_block, mean.size() - first);
    parallel::poisson<double>(noise_, draw, first, mean.subspan(first, size), std::span(counts).first(size));
    std::transform(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(size),
                   observed.begin() + static_cast<std::ptrdiff_t>(first),
                   [](std::int64_t n) { return static_cast<double>(n); });
  }
}

}  // namespace rankflow::model
