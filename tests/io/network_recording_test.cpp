#include <limits>

#include "io/network_file.hpp"
#include "io/recording_file.hpp"
#include "io/support.hpp"

namespace rankflow::io {
namespace {

using ::testing::ElementsAre;
using testing::Folder;
using ::testing::HasSubstr;
using testing::message_of;

const parallel::Communicator serial;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(NetworkFile, ArraysAndAttributesComeBack) {
  const Folder folder;
  const parallel::Partition partition(600, 1, 0);
  const auto two = testing::tiled_values<double>(partition, 2);
  const auto one = testing::tiled_values<double>(partition, 1);
  write_network_file<double>(serial, folder / "net.h5", {},
                             {.partition = partition,
                              .rank = 2,
                              .inputs = 1,
                              .m = two,
                              .n = two,
                              .input_weights = one,
                              .bias = one,
                              .tau = {}},
                             {{"activation", "tanh"}, {"tau", 0.1}});
  const auto network = NetworkFile::open(serial, folder / "net.h5");
  EXPECT_EQ(network.neurons(), 600);
  EXPECT_EQ(network.rank(), 2);
  EXPECT_EQ(network.inputs(), 1);
  EXPECT_EQ(std::get<std::string>(network.attributes().at("activation")), "tanh");
  EXPECT_TRUE(network.has("bias"));
  EXPECT_FALSE(network.has("tau"));
  std::vector<double> again(two.size(), -1);
  network.read<double>("n", partition, 2, again);
  EXPECT_EQ(again, two);
  EXPECT_THAT(network.file().info("/network/m").dimensions, ElementsAre("neuron", "rank"));
}

/// A network file of three neurons as somebody might write it by hand.
void write_by_hand(const std::filesystem::path& path, const Shape& m, const Shape& n, double first = 1) {
  auto file = File::create(serial, path);
  for (const auto& [name, shape] : {std::pair{"/network/m", m}, std::pair{"/network/n", n}}) {
    file.create_dataset({.path = name, .shape = shape, .dimensions = {}});
    const std::vector<double> values(count_of(shape), first);
    file.write_all(name, std::span<const double>(values));
  }
}

TEST(NetworkFile, UnfitShapesAndValuesAreNamed) {
  const Folder folder;
  const auto path = folder / "net.h5";
  const auto open = [&] { return message_of<InputDataError>([&] { NetworkFile::open(serial, path); }); };
  write_by_hand(path, {3}, {3});
  EXPECT_THAT(open(), HasSubstr("'/network/m' in file"));
  EXPECT_THAT(open(), HasSubstr("has 1 dimension(s) [3], expected 2: [neuron, rank]"));
  write_by_hand(path, {3, 2}, {3, 1});
  EXPECT_THAT(open(), HasSubstr("'/network/m' has rank 2, '/network/n' has rank 1"));
  write_by_hand(path, {3, 2}, {4, 2});
  EXPECT_THAT(open(), HasSubstr("has 4 neurons, 'm' has 3"));
  write_by_hand(path, {3, 2}, {3, 2}, nan);
  const auto network = NetworkFile::open(serial, path);
  std::vector<double> m(1024);
  EXPECT_THAT(message_of<InputDataError>([&] { network.read<double>("m", parallel::Partition(3, 1, 0), 2, m); }),
              HasSubstr("holds NaN or infinity, first at neuron 0, column 0"));
}

Recording example() {
  return {.trials = 2,
          .times = 3,
          .channels = 1,
          .inputs = 1,
          .bin_width_s = 0.25,
          .observation_kind = "poisson",
          .observations = {0, 1, 2, 3, nan, 5},
          .input_values = {1, 2, 3, 4, 5, 6},
          .mask = {1, 1, 1, 1, 0, 1}};
}

TEST(Recording, ComesBackWithItsTruth) {
  const Folder folder;
  {
    auto output = create_recording_file(serial, folder / "data.h5", {}, example());
    output.file().create_dataset(
        {.path = "/truth/latent", .shape = {2, 3, 1}, .dimensions = {"trial", "time", "rank"}});
    output.finish();
  }
  const auto recording = read_recording(serial, folder / "data.h5");
  EXPECT_EQ(recording.trials, 2);
  EXPECT_EQ(recording.times, 3);
  EXPECT_EQ(recording.bin_width_s, 0.25);
  EXPECT_EQ(recording.observation_kind, "poisson");
  EXPECT_EQ(recording.observations[5], 5.0);
  EXPECT_THAT(recording.input_values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(recording.mask, ElementsAre(1, 1, 1, 1, 0, 1));
  const auto file = File::open(serial, folder / "data.h5");
  EXPECT_THAT(file.read_all<double>("/recording/time"), ElementsAre(0, 0.25, 0.5));
  EXPECT_TRUE(file.has_dataset("/truth/latent"));
}

TEST(Recording, UnusableContentIsNamed) {
  const Folder folder;
  const auto path = folder / "data.h5";
  const auto refused = [&](const Recording& recording) {
    create_recording_file(serial, path, {}, recording).finish();
    return message_of<InputDataError>([&] { read_recording(serial, path); });
  };
  auto bad = example();
  bad.mask[4] = 1;
  EXPECT_THAT(refused(bad), HasSubstr("holds nan at trial 1, time 1, channel 0; expected finite values"));
  bad = example();
  bad.observations[2] = 0.5;
  EXPECT_THAT(refused(bad), HasSubstr("holds 0.5 at trial 0, time 2, channel 0; expected counts"));
  bad = example();
  bad.input_values[3] = nan;
  EXPECT_THAT(refused(bad), HasSubstr("holds nan at trial 1, time 0, input 0"));
  bad = example();
  bad.bin_width_s = 0;
  EXPECT_THAT(refused(bad), HasSubstr("'bin_width_s' of /recording is missing or not positive"));
  bad = example();
  bad.observation_kind = "binary";
  EXPECT_THAT(refused(bad), HasSubstr("is 'binary', allowed: gaussian, poisson"));
  bad = example();
  bad.mask.pop_back();
  EXPECT_THROW(create_recording_file(serial, path, {}, bad), InternalError);
}

TEST(Recording, FilesOfOthersAreReadAndTheirShapesChecked) {
  const Folder folder;
  const auto path = folder / "data.h5";
  const auto write = [&](const Shape& observations, const Shape& inputs) {
    auto file = File::create(serial, path);
    for (const auto& [name, shape] :
         {std::pair{"/recording/observations", observations}, std::pair{"/recording/inputs", inputs}}) {
      file.create_dataset({.path = name, .shape = shape, .dimensions = {}, .type = Type::i32});
    }
    file.set_attribute("/recording", "bin_width_s", std::int64_t{1});
  };
  write({2, 3, 4}, {2, 3, 1});
  const auto recording = read_recording(serial, path);
  EXPECT_EQ(recording.channels, 4);
  EXPECT_EQ(recording.mask, std::vector<std::uint8_t>(6, 1));
  write({3, 4}, {2, 3, 1});
  EXPECT_THAT(
      message_of<InputDataError>([&] { read_recording(serial, path); }),
      HasSubstr(
          "has 2 dimension(s) [3, 4], expected 3: [trial, time, channel]; a single trial is an axis of length 1"));
  write({2, 3, 4}, {2, 4, 1});
  EXPECT_THAT(message_of<InputDataError>([&] { read_recording(serial, path); }),
              HasSubstr("'/recording/inputs' in file"));
  write({2, 0, 4}, {2, 0, 1});
  EXPECT_THAT(message_of<InputDataError>([&] { read_recording(serial, path); }), HasSubstr("is empty: [2, 0, 4]"));
}

}  // namespace
}  // namespace rankflow::io
