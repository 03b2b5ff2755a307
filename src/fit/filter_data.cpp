#include "fit/filter_data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

/// Two ways to write a time step, as 1 / 160 and 0.00625.
constexpr double same_step = 1e-6;

void require_same_shape(const FilterRequest& request, const DataSet& data) {
  const auto& fit = request.fit;
  const auto channels = fit.model.latent.channels();
  const auto inputs = fit.model.latent.inputs();
  if (data.channels != channels)
    throw InputDataError(
        "the data have {} channel(s), but '{}' was fitted to {}; choose them by data.channels or data.exclude_channels",
        data.channels, request.source.string(), channels);
  if (data.inputs != inputs)
    throw InputDataError("the data have {} input(s), but '{}' was fitted with {}", data.inputs, request.source.string(),
                         inputs);
  if (std::abs(data.bin_width - fit.bin_width) > same_step * fit.bin_width)
    throw InputDataError("the data have a sample every {} s, but '{}' was fitted to one every {} s", data.bin_width,
                         request.source.string(), fit.bin_width);
}

}  // namespace

void hide_channels(const char* key, const std::vector<std::int64_t>& channels, DataSet& data) {
  for (const auto channel : channels) {
    const auto found = std::lower_bound(data.channel_numbers.begin(), data.channel_numbers.end(), channel);
    if (found == data.channel_numbers.end() || *found != channel)
      throw ConfigurationError("{}: channel {} is not among the {} channels of the fit", key, channel, data.channels);
    const auto column = found - data.channel_numbers.begin();
    for (std::int64_t cell = 0; cell < data.trials * data.times; ++cell)
      data.observations[static_cast<std::size_t>(cell * data.channels + column)] =
          std::numeric_limits<double>::quiet_NaN();
  }
}

DataSet load_filter_data(const FilterRequest& request, const parallel::Communicator& comm) {
  const auto& fit = request.fit;
  const auto* known = fit.standardisation ? &*fit.standardisation : nullptr;
  auto data = load_data(request.options.data, fit.options.model.observation.kind, comm, known);
  require_same_shape(request, data);
  hide_channels("filter.held_out", request.options.filter.held_out, data);
  return data;
}

}  // namespace rankflow::fit
