#include "io/checkpoint_store.hpp"

#include <cmath>
#include <limits>

#include "io/support.hpp"

namespace rankflow::io {
namespace {

using ::testing::ElementsAre;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using ::testing::SizeIs;

const parallel::Communicator serial;
const parallel::Partition partition(1300, 1, 0);

void store(CheckpointStore& checkpoints, std::int64_t sequence) {
  auto potentials = testing::tiled_values<double>(partition, 2);
  potentials[3] = static_cast<double>(sequence);
  checkpoints.write(sequence, [&](CheckpointWriter& state) {
    state.neurons<double>("potentials", partition, 2, potentials);
    state.values<double>("latent", std::vector<double>{0.1, -0.0, std::numeric_limits<double>::infinity()});
    state.values<std::int64_t>("steps", std::vector<std::int64_t>{sequence, 9007199254740993});
    state.values<double>("empty", {});
    state.attribute("time", 0.1);
    state.attribute("seed", std::uint64_t{18446744073709551615ULL});
  });
}

double marker(const CheckpointStore& checkpoints) {
  std::vector<double> potentials(static_cast<std::size_t>(partition.padded_count()) * 2);
  checkpoints.load_latest(
      [&](const CheckpointReader& state) { state.neurons<double>("potentials", partition, 2, potentials); });
  return potentials[3];
}

/// Turns over every bit of some bytes, `offset` before the place of `pattern`'s first byte.
void damage(const std::filesystem::path& path, std::size_t position) {
  auto bytes = testing::bytes_of(path);
  ASSERT_LT(position + 4, bytes.size());
  for (std::size_t i = position; i < position + 4; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  testing::write_bytes(path, std::string(bytes.begin(), bytes.end()));
}

std::size_t position_of(const std::filesystem::path& path, double value) {
  const auto bytes = testing::bytes_of(path);
  const auto* begin = reinterpret_cast<const char*>(&value);
  return static_cast<std::size_t>(std::search(bytes.begin(), bytes.end(), begin, begin + sizeof value) - bytes.begin());
}

TEST(CheckpointStore, StateComesBackBitByBit) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, "abc");
  store(checkpoints, 5);
  const auto loaded = checkpoints.load_latest([&](const CheckpointReader& state) {
    auto expected = testing::tiled_values<double>(partition, 2);
    expected[3] = 5;
    std::vector<double> potentials(expected.size(), -1);
    state.neurons<double>("potentials", partition, 2, potentials);
    EXPECT_EQ(potentials, expected);
    const auto latent = state.values<double>("latent");
    EXPECT_THAT(latent, ElementsAre(0.1, 0.0, std::numeric_limits<double>::infinity()));
    EXPECT_TRUE(std::signbit(latent[1]));
    EXPECT_THAT(state.values<std::int64_t>("steps"), ElementsAre(5, 9007199254740993));
    EXPECT_THAT(state.values<double>("empty"), IsEmpty());
    EXPECT_EQ(std::get<double>(state.attribute("time")), 0.1);
    EXPECT_EQ(std::get<std::uint64_t>(state.attribute("seed")), 18446744073709551615ULL);
    EXPECT_THROW(state.values<double>("nothing"), InputDataError);
    EXPECT_THROW(state.attribute("nothing"), InputDataError);
  });
  EXPECT_EQ(loaded.sequence, 5);
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(CheckpointStore, TheLastTwoAreKept) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, "abc");
  testing::write_bytes(folder / "run.h5.checkpoint-1.partial", "left by a killed run");
  for (const std::int64_t sequence : {8, 9, 10, 11}) store(checkpoints, sequence);
  EXPECT_THAT(checkpoints.sequences(), ElementsAre(10, 11));
  EXPECT_EQ(marker(checkpoints), 11);
  testing::write_bytes(folder / "run.h5.checkpoint-x", "somebody else's");
  checkpoints.remove_all();
  EXPECT_THAT(checkpoints.sequences(), IsEmpty());
  EXPECT_THAT(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(CheckpointStore, DamagedDataFallsBackToTheOneBefore) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, "abc");
  store(checkpoints, 1);
  store(checkpoints, 2);
  EXPECT_EQ(marker(checkpoints), 2);
  damage(checkpoints.file_of(2), position_of(checkpoints.file_of(2), testing::value_at(1000, 0)));
  EXPECT_EQ(marker(checkpoints), 1);
  const auto loaded = checkpoints.load_latest([](const CheckpointReader&) {});
  EXPECT_EQ(loaded.sequence, 1);
  ASSERT_THAT(loaded.warnings, SizeIs(1));
  EXPECT_THAT(loaded.warnings[0], HasSubstr("checkpoint 2 is damaged and passed over"));
}

TEST(CheckpointStore, DamageOfEveryKindIsNoticed) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, "abc");
  store(checkpoints, 1);
  store(checkpoints, 2);
  const auto file = checkpoints.file_of(2);
  const auto whole = testing::bytes_of(file);
  const auto restore = [&] { testing::write_bytes(file, std::string(whole.begin(), whole.end())); };
  damage(file, 0);
  EXPECT_EQ(marker(checkpoints), 1) << "signature";
  restore();
  EXPECT_EQ(marker(checkpoints), 2);
  std::filesystem::resize_file(file, whole.size() / 2);
  EXPECT_EQ(marker(checkpoints), 1) << "cut off";
  restore();
  {
    auto tampered = File::open(serial, file, File::Mode::append);
    tampered.set_attribute("/state", "time", 0.2);
  }
  EXPECT_EQ(marker(checkpoints), 1) << "attribute";
  restore();
  {
    auto unfinished = File::open(serial, file, File::Mode::append);
    unfinished.set_attribute("/", "complete", "no");
  }
  EXPECT_EQ(marker(checkpoints), 1) << "not complete";
}

TEST(CheckpointStore, NoneAndNoneSoundAreToldApart) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, "abc");
  const auto load = [&] {
    return message_of<InputDataError>([&] { checkpoints.load_latest([](const CheckpointReader&) {}); });
  };
  EXPECT_THAT(load(), HasSubstr("no checkpoint of"));
  testing::write_bytes(checkpoints.file_of(3), "garbage");
  EXPECT_THAT(load(), HasSubstr("can be used: checkpoint 3 is damaged"));
}

TEST(CheckpointStore, AnotherConfigurationIsRefused) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, hash_of("seed = 1"));
  store(checkpoints, 1);
  const CheckpointStore other(folder / "run.h5", serial, hash_of("seed = 2"));
  EXPECT_THAT(message_of<ConfigurationError>([&] { other.load_latest([](const CheckpointReader&) {}); }),
              HasSubstr("belongs to another configuration"));
  EXPECT_NE(hash_of("seed = 1"), hash_of("seed = 2"));
  EXPECT_EQ(hash_of(""), "cbf29ce484222325");
}

TEST(CheckpointStore, AFailedWriteKeepsTheEarlierOnes) {
  const Folder folder;
  CheckpointStore checkpoints(folder / "run.h5", serial, "abc");
  store(checkpoints, 1);
  EXPECT_THROW(checkpoints.write(2, [](CheckpointWriter&) { throw NumericalError("interrupted"); }), NumericalError);
  EXPECT_EQ(marker(checkpoints), 1);
}

}  // namespace
}  // namespace rankflow::io
