// Collective file access: equal content at any rank count, ranks without neurons, errors on one rank.
#include <cstring>

#include "io/agreement.hpp"
#include "io/array_import.hpp"
#include "io/checkpoint_store.hpp"
#include "io/network_file.hpp"
#include "io/recording_file.hpp"
#include "io/run_file.hpp"
#include "io/support.hpp"

#include <mpi.h>

namespace rankflow::io {
namespace {

using parallel::Communicator;
using parallel::Partition;
using testing::Folder;
using ::testing::HasSubstr;
using testing::message_of;

class Collective : public ::testing::Test {
 protected:
  Collective() : world_(Communicator::duplicate(MPI_COMM_WORLD)), folder_(world_) {}
  ~Collective() override { world_.barrier(); }

  Partition partition(std::int64_t neurons) const { return {neurons, world_.size(), world_.rank()}; }

  Communicator world_;
  Folder folder_;
  Communicator serial_;
};

/// N that no rank count divides; fewer tiles than ranks; one neuron; several rounds.
constexpr std::array<std::int64_t, 4> sizes{1300, 600, 1, 200003};

TEST_F(Collective, NeuronArraysHaveOneContentAtAnyRankCount) {
  for (const auto neurons : sizes) {
    const auto mine = partition(neurons);
    const auto count = static_cast<std::uint64_t>(neurons);
    const auto values = testing::tiled_values<double>(mine, 3);
    {
      auto file = File::create(world_, folder_ / "a.h5");
      file.create_dataset({.path = "/rows", .shape = {count, 3}, .dimensions = {"neuron", "rank"}});
      file.create_dataset({.path = "/columns", .shape = {3, count}, .dimensions = {}, .checksum = true});
      file.create_dataset({.path = "/single", .shape = {count, 3}, .dimensions = {}, .type = Type::f32});
      write_neurons<double>(file, "/rows", mine, 3, values);
      write_neurons<double>(file, "/columns", mine, 3, values, Placement::columns());
      write_neurons<double>(file, "/single", mine, 3, values);
      std::vector<double> again(values.size(), -1);
      read_neurons<double>(file, "/columns", mine, 3, again, Placement::columns());
      EXPECT_EQ(again, values);
      read_neurons<double>(file, "/single", mine, 3, again);
      EXPECT_EQ(again, values);
      file.close();
    }
    const auto file = File::open(serial_, folder_ / "a.h5");
    const auto rows = file.read_all<double>("/rows");
    const auto columns = file.read_all<double>("/columns");
    for (std::int64_t i = 0; i < neurons; ++i)
      for (std::size_t c = 0; c < 3; ++c) {
        ASSERT_EQ(rows[static_cast<std::size_t>(i) * 3 + c], testing::value_at(i, c));
        ASSERT_EQ(columns[c * static_cast<std::size_t>(neurons) + static_cast<std::size_t>(i)],
                  testing::value_at(i, c));
      }
    world_.barrier();
  }
}

TEST_F(Collective, ACheckpointHoldsTheNumbersOfRankZero) {
  CheckpointStore checkpoints(folder_ / "run.h5", world_, "abc");
  checkpoints.write(1, [&](CheckpointWriter& state) {
    // As a reading of the clock, which every rank takes by itself.
    state.values<double>("seconds", std::vector<double>(5, 1.0 + world_.rank()));
  });
  const auto loaded = checkpoints.load_latest(
      [&](const CheckpointReader& state) { EXPECT_EQ(state.values<double>("seconds"), std::vector<double>(5, 1.0)); });
  EXPECT_EQ(loaded.sequence, 1);
  EXPECT_TRUE(loaded.warnings.empty());
}

TEST_F(Collective, FileWrittenByAllEqualsTheOneWrittenByOne) {
  const auto neurons = 1300;
  const auto write = [&](const Communicator& comm, const Partition& mine, const std::string& name, double first) {
    auto values = testing::tiled_values<double>(mine, 2);
    if (mine.begin() == 0 && !values.empty()) values[0] = first;
    auto file = File::create(comm, folder_ / name);
    file.create_dataset({.path = "/m", .shape = {1300, 2}, .dimensions = {"neuron", "rank"}});
    write_neurons<double>(file, "/m", mine, 2, values);
    file.close();
  };
  write(world_, partition(neurons), "all.h5", 1);
  write(world_, partition(neurons), "control.h5", 2);
  if (world_.is_root()) write(serial_, Partition(neurons, 1, 0), "one.h5", 1);
  world_.barrier();
  const auto content = [&](const std::string& name) {
    return File::open(serial_, folder_ / name).read_all<double>("/m");
  };
  EXPECT_EQ(content("all.h5"), content("one.h5"));
  EXPECT_NE(content("control.h5"), content("one.h5"));
}

TEST_F(Collective, RanksWithNothingTakePartInRowWrites) {
  const std::string longer_than_64_kb(200000, '#');
  auto run = RunFile::create(
      world_, folder_ / "run.h5", {.configuration = longer_than_64_kb, .seed = 3},
      {.coordinates = {{"/trajectory/time", {0, 1, 2, 3}, "s", "time"}},
       .datasets = {{.path = "/trajectory/latent", .shape = {1, 4, 1}, .dimensions = {"trial", "time", "rank"}}},
       .attributes = {}});
  for (std::uint64_t t = 0; t < 4; ++t) {
    const bool writes = static_cast<int>(t) % world_.size() == world_.rank();
    const std::vector<double> row(writes ? 1 : 0, static_cast<double>(t) + 1);
    run.write_rows<double>("/trajectory/latent", {0, t, 0}, {1, writes ? 1U : 0U, 1}, row);
  }
  run.finish();
  const auto file = File::open(serial_, folder_ / "run.h5");
  EXPECT_THAT(file.read_all<double>("/trajectory/latent"), ::testing::ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(std::get<std::int64_t>(*file.attribute("/provenance", "ranks")), world_.size());
  EXPECT_EQ(std::get<std::string>(*file.attribute("/provenance", "configuration")), longer_than_64_kb);
  world_.barrier();
}

TEST_F(Collective, NetworkAndRecordingFiles) {
  const auto mine = partition(1300);
  const auto m = testing::tiled_values<float>(mine, 2);
  const auto bias = testing::tiled_values<float>(mine, 1);
  write_network_file<float>(
      world_, folder_ / "net.h5", {},
      {.partition = mine, .rank = 2, .inputs = 0, .m = m, .n = m, .input_weights = {}, .bias = bias, .tau = {}},
      {{"activation", "relu"}});
  const auto network = NetworkFile::open(world_, folder_ / "net.h5");
  std::vector<float> again(m.size(), -1);
  network.read<float>("m", mine, 2, again);
  EXPECT_EQ(again, m);
  EXPECT_TRUE(network.has("bias"));
  const Recording recording{.trials = 1,
                            .times = 2,
                            .channels = 1,
                            .inputs = 0,
                            .bin_width_s = 0.5,
                            .observation_kind = "gaussian",
                            .observations = {1, 2},
                            .input_values = {},
                            .mask = {1, 1}};
  create_recording_file(world_, folder_ / "data.h5", {}, recording).finish();
  EXPECT_EQ(read_recording(world_, folder_ / "data.h5").observations, recording.observations);
}

TEST_F(Collective, CheckpointIsReadOnAnotherRankCount) {
  const std::int64_t neurons = 5000;
  CheckpointStore checkpoints(folder_ / "run.h5", world_, "abc");
  const auto write = [&](std::int64_t sequence) {
    checkpoints.write(sequence, [&](CheckpointWriter& state) {
      state.neurons<double>("x", partition(neurons), 2, testing::tiled_values<double>(partition(neurons), 2));
      state.values<double>("latent", std::vector<double>{0.1, 0.2});
      state.attribute("time", 1.5);
    });
  };
  write(1);
  write(2);
  const auto read = [&](const Communicator& comm) {
    const CheckpointStore store(folder_ / "run.h5", comm, "abc");
    const Partition mine(neurons, comm.size(), comm.rank());
    return store.load_latest([&](const CheckpointReader& state) {
      const auto expected = testing::tiled_values<double>(mine, 2);
      std::vector<double> x(expected.size(), -1);
      state.neurons<double>("x", mine, 2, x);
      EXPECT_EQ(x, expected);
      EXPECT_EQ(state.values<double>("latent"), (std::vector<double>{0.1, 0.2}));
    });
  };
  EXPECT_EQ(read(world_).sequence, 2);
  EXPECT_EQ(read(serial_).sequence, 2);
  const auto others = world_.split(world_.rank() == 0 ? 0 : 1);
  EXPECT_EQ(read(others).sequence, 2);
  world_.barrier();
  if (world_.is_root()) {
    auto bytes = testing::bytes_of(checkpoints.file_of(2));
    const double wanted = testing::value_at(3000, 0);
    const auto* pattern = reinterpret_cast<const char*>(&wanted);
    const auto place = std::search(bytes.begin(), bytes.end(), pattern, pattern + sizeof wanted);
    ASSERT_NE(place, bytes.end());
    for (int i = 0; i < 8; ++i) place[i] = static_cast<char>(~place[i]);
    testing::write_bytes(checkpoints.file_of(2), std::string(bytes.begin(), bytes.end()));
  }
  world_.barrier();
  const auto fallen_back = read(world_);
  EXPECT_EQ(fallen_back.sequence, 1);
  EXPECT_EQ(fallen_back.warnings.size(), 1U);
  world_.barrier();
  checkpoints.remove_all();
  EXPECT_TRUE(checkpoints.sequences().empty());
}

TEST_F(Collective, ImportsGiveEveryRankItsShare) {
  const std::int64_t neurons = 1300;
  if (world_.is_root()) {
    auto file = File::create(serial_, folder_ / "w.h5");
    file.create_dataset({.path = "/m", .shape = {1300, 2}, .dimensions = {}});
    const Partition all(neurons, 1, 0);
    write_neurons<double>(file, "/m", all, 2, testing::tiled_values<double>(all, 2));
  }
  world_.barrier();
  const auto mine = partition(neurons);
  std::vector<double> tiled(static_cast<std::size_t>(mine.padded_count()) * 2, -1);
  read_neuron_array<double>(world_, {folder_ / "w.h5", "/m"}, mine, 2, tiled);
  EXPECT_EQ(tiled, testing::tiled_values<double>(mine, 2));
  EXPECT_EQ(read_array(world_, {folder_ / "w.h5", "/m"}).data[3], testing::value_at(1, 1));
}

TEST_F(Collective, ErrorsReachEveryRankWithTheSameMessage) {
  EXPECT_THAT(message_of<InputDataError>([&] { File::open(world_, folder_ / "none.h5"); }),
              HasSubstr("does not exist"));
  EXPECT_THAT(message_of<InputOutputError>([&] { OutputFile::create(world_, folder_ / "a/b.h5", FileType::run, {}); }),
              HasSubstr("make it first"));
  const int last = world_.size() - 1;
  const auto text = message_of<InputDataError>([&] {
    on_all_ranks(world_, [&] {
      if (world_.rank() == last) throw InputDataError("rank {} refuses", last);
    });
  });
  EXPECT_EQ(text, "rank " + std::to_string(last) + " refuses");
  EXPECT_NO_THROW(on_all_ranks(world_, [] {}));
}

TEST_F(Collective, ABlockOutsideTheDatasetOnOneRankStopsAll) {
  auto file = File::create(world_, folder_ / "a.h5");
  file.create_dataset({.path = "/x", .shape = {4}, .dimensions = {}});
  const bool wrong = world_.rank() == world_.size() - 1;
  const std::vector<double> value{1};
  EXPECT_THAT(message_of<InternalError>([&] { file.write_rows<double>("/x", {wrong ? 4U : 0U}, {1}, value); }),
              HasSubstr("does not lie in dataset '/x' [4]"));
}

TEST_F(Collective, FirstBadNeuronIsTheSameOnEveryRank) {
  const auto mine = partition(1300);
  auto values = testing::tiled_values<double>(mine, 1);
  for (const std::int64_t bad : {700, 1200})
    if (bad >= mine.begin() && bad < mine.end())
      values[static_cast<std::size_t>(bad - mine.begin())] = std::numeric_limits<double>::quiet_NaN();
  {
    auto file = File::create(world_, folder_ / "a.h5");
    file.create_dataset({.path = "/x", .shape = {1300}, .dimensions = {}});
    write_neurons<double>(file, "/x", mine, 1, values, Placement::vector());
  }
  EXPECT_THAT(message_of<InputDataError>([&] {
                read_neuron_array<double>(world_, {folder_ / "a.h5", "/x"}, mine, 1, values);
              }),
              HasSubstr("first at neuron 700, column 0"));
}

std::string provenance_at(const std::filesystem::path& path, const char* name) {
  return std::get<std::string>(*File::open(Communicator(), path).attribute("/provenance", name));
}

TEST_F(Collective, FailureOfAllRanksIsRecorded) {
  auto output = OutputFile::create(world_, folder_ / "run.h5", FileType::run, {.configuration = "", .seed = 1});
  output.publish();
  EXPECT_EQ(provenance_at(folder_ / "run.h5", "failure"), "");
  world_.barrier();
  EXPECT_TRUE(output.fail("kappa_0 became nan\nwhile stepping"));
  EXPECT_EQ(provenance_at(folder_ / "run.h5", "status"), "failed");
  EXPECT_EQ(provenance_at(folder_ / "run.h5", "failure"), "kappa_0 became nan");
  world_.barrier();
  OutputFile::reopen(world_, folder_ / "run.h5", FileType::run).finish();
  EXPECT_EQ(provenance_at(folder_ / "run.h5", "status"), "complete");
  EXPECT_EQ(provenance_at(folder_ / "run.h5", "failure"), "") << "a file that went on has not failed";
}

TEST_F(Collective, RankThatFailsAloneDoesNotWait) {
  if (world_.size() == 1) return;  // nobody to be left alone by
  const auto comm = Communicator::duplicate(MPI_COMM_WORLD);
  auto output = OutputFile::create(comm, folder_ / "run.h5", FileType::run, {.configuration = "", .seed = 1});
  output.publish();
  const bool alone = world_.rank() == world_.size() - 1;
  if (alone) {
    EXPECT_FALSE(output.fail("kappa_0 became nan", 0.2));
  }
  world_.barrier();
  EXPECT_EQ(provenance_at(folder_ / "run.h5", "status"), "running");
  if (!alone) {
    EXPECT_TRUE(comm.meet_within(5.0)) << "the barrier that the last rank left open";
  }
}

}  // namespace
}  // namespace rankflow::io
