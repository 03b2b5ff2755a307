#include "inspect_health.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "inspect_blocks.hpp"
#include "io/provenance.hpp"

namespace rankflow::drivers {
namespace {

bool is_by_trial_and_time(const io::DatasetInfo& info) {
  return info.dimensions.size() >= 2 && info.dimensions[0] == "trial" && info.dimensions[1] == "time";
}

/// Figures of a fit that do not exist for every epoch (not run, not judged), forecasts of what lies before the horizon.
bool has_gaps(const io::DatasetInfo& info) {
  return !info.dimensions.empty() && (info.dimensions[0].ends_with("epoch") || info.dimensions[0] == "horizon");
}

bool has_latents(const std::string& path) {
  return path.ends_with("/latent");
}

}  // namespace

std::string trajectory_path(const io::File& file) {
  for (const char* path : {"/trajectory/latent", "/truth/latent", "/recording/observations"})
    if (file.has_dataset(path) && file.info(path).shape.size() == 3) return path;
  return {};
}

Absence::Absence(const io::File& file) {
  if (file.has_group("/provenance")) {
    const auto status = file.attribute("/provenance", "status");
    complete_ = !status || *status == io::Attribute(io::name_of(io::Status::complete));
  }
  if (file.has_dataset("/integrator/stop_time")) read_stop_times(file);
  if (const auto path = trajectory_path(file); has_latents(path)) count_rows(file, path);
  if (!file.has_dataset("/recording/mask")) return;
  const auto info = file.info("/recording/mask");
  if (complete_ && info.shape.size() == 2 && io::count_of(info.shape) <= values_read_whole)
    mask_ = file.read_all<std::uint8_t>("/recording/mask");
}

void Absence::read_stop_times(const io::File& file) {
  for (const double time : file.read_all<double>("/integrator/stop_time")) ended_early_.push_back(std::isfinite(time));
  trials_stopped_ = static_cast<std::uint64_t>(std::count(ended_early_.begin(), ended_early_.end(), true));
}

void Absence::count_rows(const io::File& file, const std::string& path) {
  const auto info = file.info(path);
  if (io::count_of(info.shape) > values_read_whole) return;
  rows_written_.assign(info.shape[0], 0);
  for_each_block(file, info, [&](std::uint64_t first, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      const auto row = (first + i) / info.shape[2];
      auto& written = rows_written_[row / info.shape[1]];
      written = std::max(written, row % info.shape[1] + 1);
    }
  });
}

bool Absence::expected(const io::DatasetInfo& info, std::uint64_t position) const {
  if (info.path == "/integrator/stop_time" || has_gaps(info)) return true;
  if (!is_by_trial_and_time(info)) return !complete_;
  const auto row = position / (io::count_of(info.shape) / (info.shape[0] * info.shape[1]));
  if (info.path == "/recording/observations" && !mask_.empty()) return row < mask_.size() && mask_[row] == 0;
  const auto trial = row / info.shape[1];
  const bool may_end = !complete_ || (trial < ended_early_.size() && ended_early_[trial]);
  if (!may_end) return false;
  return trial >= rows_written_.size() || row % info.shape[1] >= rows_written_[trial];
}

Statistics statistics_of(const io::File& file, const io::DatasetInfo& info, const Absence& absence) {
  Statistics result;
  double sum = 0;
  result.stride = for_each_block(file, info, [&](std::uint64_t first, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      if (std::isfinite(value)) {
        result.minimum = std::min(result.minimum, value);
        result.maximum = std::max(result.maximum, value);
        sum += value;
        ++result.finite;
        continue;
      }
      if (std::isnan(value) && absence.expected(info, first + i)) {
        ++result.absent;
        continue;
      }
      if (result.sound()) result.first_bad = index_of(first + i, info.shape);
      ++(std::isnan(value) ? result.nan : result.infinite);
    }
  });
  if (result.finite > 0) result.mean = sum / static_cast<double>(result.finite);
  return result;
}

std::string Statistics::text() const {
  std::string out = finite > 0 ? fmt::format("min {:.6g}, mean {:.6g}, max {:.6g}", minimum, mean, maximum)
                               : std::string("no finite value");
  if (absent > 0) out += fmt::format("; {} absent (not written or not observed)", absent);
  if (stride > 1) out += fmt::format("; large: one block in {} was looked at", stride);
  if (!sound())
    out += fmt::format("; PROBLEM: {} NaN and {} infinite, first at {}", nan, infinite, io::text_of(first_bad));
  return out;
}

}  // namespace rankflow::drivers
