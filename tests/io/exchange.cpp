// Partner of xarray_check.py: "write FOLDER" writes one file of each type; "read FOLDER" reads the files that
// the script made with h5py and numpy, and prints what it found; "stuck -" lets one rank fail alone.
#include <cstdio>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/agreement.hpp"
#include "io/array_import.hpp"
#include "io/network_file.hpp"
#include "io/recording_file.hpp"
#include "io/run_file.hpp"

namespace {

using namespace rankflow;
using std::filesystem::path;

constexpr std::int64_t neurons = 1300;
constexpr std::size_t times = 20;

std::vector<double> ramp(const parallel::Partition& partition, std::size_t columns) {
  std::vector<double> values(static_cast<std::size_t>(partition.padded_count()) * columns);
  constexpr auto length = static_cast<std::size_t>(parallel::tile_size);
  for (std::int64_t i = 0; i < partition.count(); ++i)
    for (std::size_t c = 0; c < columns; ++c) {
      const auto local = static_cast<std::size_t>(i);
      values[(local / length * columns + c) * length + local % length] =
          static_cast<double>(partition.begin() + i) + 0.25 * static_cast<double>(c);
    }
  return values;
}

void write_run(const parallel::Communicator& comm, const path& folder, const parallel::Partition& partition) {
  std::vector<double> time(times);
  for (std::size_t t = 0; t < times; ++t) time[t] = 0.5 * static_cast<double>(t);
  const auto count = static_cast<std::uint64_t>(neurons);
  io::RunLayout layout;
  layout.coordinates.push_back({"/trajectory/time", time, "s", "time"});
  layout.datasets.push_back({.path = "/trajectory/latent",
                             .shape = {2, times, 3},
                             .dimensions = {"trial", "time", "rank"},
                             .units = "1",
                             .long_name = "latent state"});
  layout.datasets.push_back({.path = "/trajectory/rates",
                             .shape = {2, times, count},
                             .dimensions = {"trial", "time", "neuron"},
                             .type = io::Type::f32});
  auto run = io::RunFile::create(comm, folder / "run.h5", {.configuration = "[run]\nseed = 5\n", .seed = 5}, layout);
  const auto rates = ramp(partition, 2);
  for (std::uint64_t t = 0; t < times; ++t) {
    run.write_neurons<double>("/trajectory/rates", partition, 2, rates, io::Placement::at_time(t));
    const std::vector<double> row(comm.is_root() ? 6 : 0, static_cast<double>(t));
    run.write_rows<double>("/trajectory/latent", {0, t, 0}, {comm.is_root() ? 2U : 0U, 1, 3}, row);
  }
  run.finish();
}

void write_files(const parallel::Communicator& comm, const path& folder) {
  const parallel::Partition partition(neurons, comm.size(), comm.rank());
  write_run(comm, folder, partition);
  const auto m = ramp(partition, 2);
  io::write_network_file<double>(
      comm, folder / "network.h5", {},
      {.partition = partition, .rank = 2, .inputs = 0, .m = m, .n = m, .input_weights = {}, .bias = {}, .tau = {}},
      {{"activation", "tanh"}, {"tau", 0.1}});
  const io::Recording recording{.trials = 1,
                                .times = 3,
                                .channels = 2,
                                .inputs = 0,
                                .bin_width_s = 0.1,
                                .observation_kind = "gaussian",
                                .observations = {1, 2, 3, 4, 5, 6},
                                .input_values = {},
                                .mask = {1, 0, 1}};
  io::create_recording_file(comm, folder / "recording.h5", {}, recording).finish();
}

void read_files(const parallel::Communicator& comm, const path& folder) {
  const auto recording = io::read_recording(comm, folder / "made.h5");
  fmt::print("recording {}x{}x{} inputs {} bin {} kind {} first {} mask {}\n", recording.trials, recording.times,
             recording.channels, recording.inputs, recording.bin_width_s, recording.observation_kind,
             fmt::join(recording.observations.begin(), recording.observations.begin() + 3, " "),
             fmt::join(recording.mask, ""));
  for (const auto& source : {io::ArraySource{folder / "c.npy"}, io::ArraySource{folder / "f.npy"},
                             io::ArraySource{folder / "plain.npz", "w"}, io::ArraySource{folder / "packed.npz", "w"},
                             io::ArraySource{folder / "made.h5", "/other/w"}}) {
    const auto array = io::read_array(comm, source);
    fmt::print("{} {} {}\n", source.path.filename().string(), io::text_of(array.shape), fmt::join(array.data, " "));
  }
}

/// A rank fails while the others wait for it in a collective operation of their own.
void get_stuck(const parallel::Communicator& comm) {
  const auto elsewhere = comm.split(0);
  if (!comm.is_root()) elsewhere.barrier();
  io::on_all_ranks(comm, [&] {
    if (comm.is_root()) throw InputOutputError("No space left on device");
  });
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  const auto comm = environment.world();
  if (argc != 3) return 2;
  try {
    const std::string mode = argv[1];
    if (mode == "write") write_files(comm, argv[2]);
    if (mode == "read") read_files(comm, argv[2]);
    if (mode == "stuck") get_stuck(comm);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.report().c_str());
    parallel::Environment::abort(static_cast<int>(error.code()));
  }
  return 0;
}
