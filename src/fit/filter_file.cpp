#include "fit/filter_file.hpp"

#include <algorithm>

namespace rankflow::fit {
namespace {

using Shape = std::vector<std::int64_t>;

void add(io::RunLayout& layout, const std::string& path, const Shape& shape, std::vector<std::string> dimensions,
         const std::string& text, io::Type type = io::Type::f64) {
  io::DatasetSpec spec{.path = path, .shape = {}, .dimensions = std::move(dimensions), .type = type};
  spec.long_name = text;
  for (const auto extent : shape) spec.shape.push_back(static_cast<std::uint64_t>(extent));
  layout.datasets.push_back(std::move(spec));
}

void add_time(io::RunLayout& layout, const std::string& group, const DataSet& data) {
  std::vector<double> time(static_cast<std::size_t>(data.times));
  for (std::size_t t = 0; t < time.size(); ++t) time[t] = static_cast<double>(t) * data.bin_width;
  layout.coordinates.push_back({.path = group + "/time", .values = std::move(time), .units = "s", .long_name = "time"});
}

void add_moments(io::RunLayout& layout, const std::string& group, const DataSet& data, std::int64_t rank,
                 const std::string& given) {
  add(layout, group + "/latent_mean", {data.trials, data.times, rank}, {"trial", "time", "rank"},
      "mean of the latent state given " + given);
  add(layout, group + "/latent_covariance", {data.trials, data.times, rank, rank},
      {"trial", "time", "rank", "rank_column"}, "covariance of the latent state given " + given);
}

void add_forecasts(io::RunLayout& layout, const std::vector<std::int64_t>& horizons, const DataSet& data) {
  layout.coordinates.push_back({.path = "/filter/horizon",
                                .values = {horizons.begin(), horizons.end()},
                                .units = "1",
                                .long_name = "steps between the last sample known and the one forecast"});
  add(layout, "/filter/forecast", {static_cast<std::int64_t>(horizons.size()), data.trials, data.times, data.channels},
      {"horizon", "trial", "time", "channel"}, "mean of the observation given the data up to horizon steps before");
}

}  // namespace

io::RunLayout filter_layout(const FilterRequest& request, const DataSet& data) {
  const auto& options = request.options.filter;
  const auto rank = request.fit.model.latent.rank();
  io::RunLayout layout;
  add_time(layout, "/filter", data);
  const Shape cells{data.trials, data.times};
  add(layout, "/filter/log_likelihood", cells, {"trial", "time"}, "log probability of the sample given those before");
  add(layout, "/filter/effective_sample_size", cells, {"trial", "time"}, "number of particles that count");
  add(layout, "/filter/observed", cells, {"trial", "time"}, "1 where a sample was seen by the filter", io::Type::u8);
  add(layout, "/filter/trial_number", {data.trials}, {"trial"}, "number of the trial in the recording", io::Type::i64);
  add(layout, "/filter/channel_number", {data.channels}, {"channel"}, "number of the channel in the recording",
      io::Type::i64);
  add_moments(layout, "/filter", data, rank, "the data up to then");
  if (!options.forecast.empty()) add_forecasts(layout, options.forecast, data);
  layout.attributes["/filter"] = {{"particles", request.options.smc.particles}};
  if (options.smoothing == config::Smoothing::none) return layout;
  add_time(layout, "/smoothed", data);
  if (options.smoothing == config::Smoothing::genealogy) {
    add_moments(layout, "/smoothed", data, rank, "all data");
    add(layout, "/smoothed/effective_sample_size", cells, {"trial", "time"}, "number of ancestors that count");
  } else {
    add(layout, "/smoothed/trajectories", {data.trials, options.trajectories, data.times, rank},
        {"trial", "trajectory", "time", "rank"}, "latent trajectory given all data");
  }
  return layout;
}

void write_trials(io::RunFile& file, const std::string& path, std::size_t trial_axis, std::int64_t first_trial,
                  std::int64_t trials, std::span<const double> values) {
  io::Shape extent = file.file().shape(path);
  io::Shape offset(extent.size(), 0);
  extent[trial_axis] = static_cast<std::uint64_t>(trials);
  if (trials > 0) offset[trial_axis] = static_cast<std::uint64_t>(first_trial);
  file.write_rows(path, offset, extent, values);
}

}  // namespace rankflow::fit
