#include "fit/saved_latents.hpp"

#include <cmath>

#include "core/error.hpp"
#include "io/file_kind.hpp"

namespace rankflow::fit {
namespace {

/// Two ways to write a time step, as 1 / 160 and 0.00625.
constexpr double equal_row_interval = 1e-6;

void require_latents(const io::File& file) {
  if (file.has_dataset("/trajectory/latent") && file.has_dataset("/trajectory/time")) return;
  throw InputDataError(
      "'{}' is {} and has no latents (/trajectory/latent); needed is a run (rankflow simulate), or an array [trial, "
      "time, rank] named with its place in the file (data.h5:/z)",
      file.name(), io::kind_of_file(file));
}

double row_interval(const io::File& file, std::uint64_t rows) {
  const auto time = file.read_all<double>("/trajectory/time");
  if (time.size() != rows)
    throw InputDataError("'{}': '/trajectory/time' has {} values for {} saved rows of '/trajectory/latent'",
                         file.name(), time.size(), rows);
  if (time.size() < 2)
    throw InputDataError("'{}' has {} saved row(s): too few time points, a drive needs at least two", file.name(),
                         time.size());
  const double interval = (time.back() - time.front()) / static_cast<double>(time.size() - 1);
  if (!(interval > 0))
    throw InputDataError("'{}': '/trajectory/time' does not ascend: from {} to {}", file.name(), time.front(),
                         time.back());
  for (std::size_t t = 1; t < time.size(); ++t)
    if (!(std::abs(time[t] - time[t - 1] - interval) <= equal_row_interval * interval))  // not a number neither
      throw InputDataError(
          "'{}': saved rows are not evenly spaced ({} s apart in the mean, {} s at row {}); save with time.save_every",
          file.name(), interval, time[t] - time[t - 1], t);
  return interval;
}

/// Shape [trial, time, …] of a data set of a run.
std::vector<std::uint64_t> shape_of(const io::File& file, const std::string& path, const std::string& last) {
  auto shape = file.info(path).shape;
  if (shape.size() != 3)
    throw InputDataError("dataset '{}' of '{}' has shape {}; expected [trial, time, {}]", path, file.name(),
                         io::text_of(shape), last);
  return shape;
}

}  // namespace

SavedLatents read_saved_latents(const io::File& file) {
  require_latents(file);
  const auto shape = shape_of(file, "/trajectory/latent", "rank");
  SavedLatents latents;
  latents.trials = static_cast<std::int64_t>(shape[0]);
  latents.rows = static_cast<std::int64_t>(shape[1]);
  latents.rank = static_cast<int>(shape[2]);
  latents.interval = row_interval(file, shape[1]);
  latents.z = file.read_all<double>("/trajectory/latent");
  if (!file.has_dataset("/trajectory/inputs")) return latents;
  const auto inputs = shape_of(file, "/trajectory/inputs", "input");
  if (inputs[0] != shape[0] || inputs[1] != shape[1])
    throw InputDataError("'{}': '/trajectory/inputs' has shape {}, '/trajectory/latent' {}; trials and rows must agree",
                         file.name(), io::text_of(inputs), io::text_of(shape));
  latents.inputs = static_cast<int>(inputs[2]);
  latents.u = file.read_all<double>("/trajectory/inputs");
  return latents;
}

}  // namespace rankflow::fit
