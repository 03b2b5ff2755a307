#include <algorithm>

#include <fmt/ranges.h>

#include "arguments.hpp"
#include "inspect_blocks.hpp"
#include "inspect_health.hpp"
#include "inspect_provenance.hpp"
#include "inspect_sketch.hpp"
#include "io/agreement.hpp"
#include "io/provenance.hpp"

namespace rankflow::drivers {
namespace {

std::string headline(const io::File& file, const std::filesystem::path& path) {
  const auto bytes = bytes_text(static_cast<double>(std::filesystem::file_size(path)));
  const auto type = attribute_text(file, "/", "file_type", "");
  if (type.empty()) return fmt::format("{}: an HDF5 file of another program, {}\n", path.string(), bytes);
  const auto status = attribute_text(file, "/provenance", "status", "");
  const auto* words = status == io::name_of(io::Status::running)   ? ", running (or killed)"
                      : status == io::name_of(io::Status::stopped) ? ", stopped on request"
                      : status == io::name_of(io::Status::failed)  ? ", failed"
                      : status.empty()                             ? ""
                                                                   : ", complete";
  return fmt::format("{}: a Rankflow {} file{}, {}\n", path.string(), type, words, bytes);
}

/// "[trial 2, time 101, rank 2]".
std::string shape_text(const io::DatasetInfo& info) {
  std::vector<std::string> axes;
  for (std::size_t axis = 0; axis < info.shape.size(); ++axis) {
    const bool named = axis < info.dimensions.size() && !info.dimensions[axis].empty();
    axes.push_back(named ? fmt::format("{} {}", info.dimensions[axis], info.shape[axis])
                         : std::to_string(info.shape[axis]));
  }
  return fmt::format("[{}]", fmt::join(axes, ", "));
}

std::string dataset_text(const io::DatasetInfo& info) {
  std::string out = fmt::format("{} {} {}", info.path, shape_text(info), name_of(info.type));
  if (!info.units.empty() && info.units != "1") out += ", " + info.units;
  if (!info.long_name.empty()) out += ": " + info.long_name;
  return out + "\n";
}

/// Attributes of the groups that hold the parameters of a network or a recording.
std::string parameters_text(const io::File& file) {
  std::string out;
  for (const auto* group : {"/network", "/truth/network", "/observation", "/training", "/recording", "/data", "/filter",
                            "/state", "/system", "/ridge", "/judgement"}) {
    if (!file.has_group(group)) continue;
    for (const auto& [name, value] : file.attributes(group)) {
      auto text = text_of(value);
      std::replace(text.begin(), text.end(), '\n', ' ');
      out += fmt::format("{} {} = {}\n", group, name, text);
    }
  }
  return out;
}

std::string progress_text(const io::File& file, const Absence& absence) {
  const auto& rows = absence.rows_written();
  if (rows.empty()) return {};
  const auto expected = file.info(trajectory_path(file)).shape[1];
  const auto [least, most] = std::minmax_element(rows.begin(), rows.end());
  auto out = fmt::format("rows written: {} of {} in {} of {} trial(s)", expected, expected,
                         std::count(rows.begin(), rows.end(), expected), rows.size());
  if (*least < expected) out += fmt::format("; {} to {} rows in a trial", *least, *most);
  if (absence.trials_stopped() > 0) out += fmt::format("; {} trial(s) ended early by [stop]", absence.trials_stopped());
  return out + "\n";
}

/// How Rankflow can use datasets of another program.
std::string hints(const std::vector<io::DatasetInfo>& datasets, const std::string& path) {
  std::string out;
  for (const auto& info : datasets) {
    if (!is_numeric(info.type) || info.shape.size() < 2 || info.shape.size() > 3) continue;
    if (info.shape.size() == 3)
      out += fmt::format("  [trial, time, channel]? In [recording]: observations = \"{}:{}\"\n", path, info.path);
    else
      out += fmt::format(
          "  [neuron, rank]? In [network.arrays]: m = \"{0}:{1}\"; [time, channel]? In [recording]: "
          "observations = \"{0}:{1}\", axes = \"time channel\"\n",
          path, info.path);
  }
  return out.empty() ? "" : "to use it (rankflow import recording, network.source = \"arrays\")\n" + out;
}

std::string report(const io::File& file, const std::filesystem::path& path) {
  std::string out = headline(file, path) + unfinished_text(file, path) + provenance_text(file) + parameters_text(file);
  const Absence absence(file);
  out += progress_text(file, absence);
  std::vector<io::DatasetInfo> datasets;
  std::vector<std::string> unsound;
  out += "datasets\n";
  for (const auto& name : file.datasets()) {
    datasets.push_back(file.info(name));
    const auto& info = datasets.back();
    out += "  " + dataset_text(info);
    if (!is_numeric(info.type)) continue;
    const auto statistics = statistics_of(file, info, absence);
    out += "      " + statistics.text() + "\n";
    if (!statistics.sound()) unsound.push_back(name);
  }
  if (const auto shown = trajectory_path(file); !shown.empty()) out += sketch_of(file, shown);
  if (!file.attribute("/", "file_type")) out += hints(datasets, path.string());
  if (unsound.empty()) return out + "health: no NaN or infinity where a value belongs\n";
  return out + fmt::format("health: PROBLEM in {}: NaN or infinity where a value belongs\n", fmt::join(unsound, ", "));
}

}  // namespace

ExitCode inspect(const Arguments& arguments, const Surroundings& surroundings) {
  // One rank looks: the others of a parallel start have nothing to add.
  io::on_root(surroundings.comm, [&] {
    const parallel::Communicator alone;
    const auto file = io::File::open(alone, arguments.input);
    surroundings.console.print(report(file, arguments.input));
  });
  return ExitCode::done;
}

}  // namespace rankflow::drivers
