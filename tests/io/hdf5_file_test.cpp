#include "io/hdf5_file.hpp"

#include <cmath>

#include "io/neuron_array.hpp"
#include "io/support.hpp"

namespace rankflow::io {
namespace {

using ::testing::ElementsAre;
using testing::Folder;
using ::testing::HasSubstr;
using testing::message_of;

const parallel::Communicator serial;

TEST(Hdf5File, DatasetKeepsShapeTypeNamesAndValues) {
  const Folder folder;
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  {
    auto file = File::create(serial, folder / "a.h5");
    file.create_coordinate("/g/time", std::vector<double>{0.0, 0.5, 1.0}, "s", "time");
    file.create_dataset(
        {.path = "/g/x", .shape = {2, 3}, .dimensions = {"trial", "time"}, .units = "mV", .long_name = "potential"});
    file.write_rows("/g/x", {0, 0}, {2, 3}, std::span<const double>(values));
    file.close();
  }
  const auto file = File::open(serial, folder / "a.h5");
  const auto info = file.info("/g/x");
  EXPECT_EQ(info.shape, (Shape{2, 3}));
  EXPECT_EQ(info.type, Type::f64);
  EXPECT_THAT(info.dimensions, ElementsAre("trial", "time"));
  EXPECT_EQ(info.units, "mV");
  EXPECT_EQ(info.long_name, "potential");
  EXPECT_EQ(file.read_all<double>("/g/x"), values);
  EXPECT_THAT(file.read_all<double>("/g/time"), ElementsAre(0.0, 0.5, 1.0));
  EXPECT_THAT(file.children("/g"), ElementsAre("time", "trial", "x"));
  EXPECT_THAT(file.datasets(), ElementsAre("/g/time", "/g/x"));
}

TEST(Hdf5File, BlocksAreConvertedAndUnwrittenEntriesAreNan) {
  const Folder folder;
  auto file = File::create(serial, folder / "a.h5");
  file.create_dataset({.path = "/x", .shape = {3, 2}, .dimensions = {}, .type = Type::f32});
  file.create_dataset({.path = "/count", .shape = {2}, .dimensions = {}, .type = Type::u16});
  file.write_rows("/x", {1, 0}, {1, 2}, std::span<const double>(std::vector<double>{1.5, 2.5}));
  std::vector<float> row(2);
  file.read_rows("/x", {1, 0}, {1, 2}, std::span<float>(row));
  EXPECT_THAT(row, ElementsAre(1.5F, 2.5F));
  EXPECT_TRUE(std::isnan(file.read_all<double>("/x")[0]));
  EXPECT_THAT(file.read_all<std::int64_t>("/count"), ElementsAre(0, 0));
}

TEST(Hdf5File, ChecksummedDatasetTakesPartialWritesInOtherPrecision) {
  const Folder folder;
  auto file = File::create(serial, folder / "a.h5");
  file.create_dataset(
      {.path = "/x", .shape = {4, 3}, .dimensions = {}, .type = Type::f32, .chunk = {2, 3}, .checksum = true});
  file.write_rows("/x", {1, 0}, {2, 3}, std::span<const double>(std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(file.info("/x").checksum);
  std::vector<double> block(6);
  file.read_rows("/x", {1, 0}, {2, 3}, std::span<double>(block));
  EXPECT_THAT(block, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Hdf5File, AttributesOfEveryKindComeBack) {
  const Folder folder;
  const std::string longer_than_64_kb(200000, 'x');
  auto file = File::create(serial, folder / "a.h5");
  file.create_group("/a/b");
  file.set_attributes("/a/b", {{"text", "τ in s"},
                               {"long", longer_than_64_kb},
                               {"integer", std::int64_t{-3}},
                               {"whole", std::uint64_t{18446744073709551615ULL}},
                               {"number", 0.1},
                               {"numbers", std::vector<double>{1, 2}}});
  file.set_attribute("/a/b", "integer", std::int64_t{4});
  file.close();
  const auto again = File::open(serial, folder / "a.h5");
  const auto found = again.attributes("/a/b");
  EXPECT_EQ(found.size(), 6U);
  EXPECT_EQ(std::get<std::string>(found.at("text")), "τ in s");
  EXPECT_EQ(std::get<std::string>(found.at("long")), longer_than_64_kb);
  EXPECT_EQ(std::get<std::int64_t>(found.at("integer")), 4);
  EXPECT_EQ(std::get<std::uint64_t>(found.at("whole")), 18446744073709551615ULL);
  EXPECT_EQ(std::get<double>(found.at("number")), 0.1);
  EXPECT_THAT(std::get<std::vector<double>>(found.at("numbers")), ElementsAre(1, 2));
  EXPECT_FALSE(again.attribute("/a/b", "missing"));
}

TEST(Hdf5File, EqualContentGivesEqualBytes) {
  const Folder folder;
  const auto write = [&](const std::string& name, double value) {
    auto file = File::create(serial, folder / name);
    file.create_dataset({.path = "/g/x", .shape = {2}, .dimensions = {"time"}});
    file.write_all("/g/x", std::span<const double>(std::vector<double>{value, 2}));
    file.close();
    return testing::bytes_of(folder / name);
  };
  const auto first = write("a.h5", 1);
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, write("b.h5", 1));
  EXPECT_NE(first, write("c.h5", 1.5));
}

TEST(Hdf5File, MissingDatasetIsNamedWithTheNearestOne) {
  const Folder folder;
  auto file = File::create(serial, folder / "a.h5");
  file.create_dataset({.path = "/network/weights", .shape = {2}, .dimensions = {"neuron"}});
  const auto message = message_of<InputDataError>([&] { file.info("/network/weigths"); });
  EXPECT_THAT(message, HasSubstr("has no dataset '/network/weigths'. Did you mean '/network/weights'?"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("neuron")));
}

TEST(Hdf5File, UnusableFilesAreRefusedWithTheReason) {
  const Folder folder;
  testing::write_bytes(folder / "text.h5", "no hdf5 at all");
  EXPECT_THAT(message_of<InputDataError>([&] { File::open(serial, folder / "none.h5"); }), HasSubstr("does not exist"));
  EXPECT_THAT(message_of<InputDataError>([&] { File::open(serial, folder / "text.h5"); }),
              HasSubstr("is not an HDF5 file"));
  EXPECT_THAT(message_of<InputDataError>([&] { File::open(serial, folder.path()); }), HasSubstr("is a directory"));
}

TEST(Hdf5File, CutOffFileIsRefusedWithHdf5sReason) {
  const Folder folder;
  {
    auto file = File::create(serial, folder / "a.h5");
    file.create_dataset({.path = "/x", .shape = {100000}, .dimensions = {}});
  }
  std::filesystem::resize_file(folder / "a.h5", 3000);
  EXPECT_THAT(message_of<InputDataError>([&] { File::open(serial, folder / "a.h5"); }), HasSubstr("truncated file"));
}

TEST(Hdf5File, BlocksAndAxesThatDoNotFitAreRefused) {
  const Folder folder;
  auto file = File::create(serial, folder / "a.h5");
  file.create_dataset({.path = "/x", .shape = {3}, .dimensions = {}});
  EXPECT_THROW(file.write_rows("/x", {2}, {2}, std::span<const double>(std::vector<double>{1, 2})), InternalError);
  EXPECT_THROW(file.create_dataset({.path = "/y", .shape = {3}, .dimensions = {"a", "b"}}), InternalError);
}

TEST(Hdf5File, DimensionOfAnotherLengthIsRefused) {
  const Folder folder;
  auto file = File::create(serial, folder / "a.h5");
  file.create_dataset({.path = "/x", .shape = {3}, .dimensions = {"time"}});
  EXPECT_THAT(
      message_of<InternalError>([&] { file.create_dataset({.path = "/y", .shape = {4}, .dimensions = {"time"}}); }),
      HasSubstr("dimension '/time' of dataset '/y' has 3 entries, the dataset has 4"));
}

TEST(Hdf5File, DefaultChunksHoldAboutOneMebibyte) {
  EXPECT_EQ(default_chunk({10, 1000, 3}, Type::f64), (Shape{10, 1000, 3}));
  EXPECT_EQ(default_chunk({10, 100, 100000000}, Type::f64), (Shape{1, 1, 131072}));
  EXPECT_EQ(default_chunk({1000000, 2}, Type::f32), (Shape{131072, 2}));
}

TEST(NeuronArray, RowsColumnsAndOneTimeRoundTripThroughSeveralRounds) {
  const Folder folder;
  // More than one buffer of 4 MiB: 3 columns x 200000 neurons x 8 bytes.
  const parallel::Partition partition(200000, 1, 0);
  const auto values = testing::tiled_values<double>(partition, 3);
  auto file = File::create(serial, folder / "a.h5");
  const auto round_trip = [&](const std::string& path, const Shape& shape, const Placement& placement) {
    file.create_dataset({.path = path, .shape = shape, .dimensions = {}});
    write_neurons<double>(file, path, partition, 3, values, placement);
    std::vector<double> again(values.size(), -1);
    read_neurons<double>(file, path, partition, 3, again, placement);
    return again == values;
  };
  EXPECT_TRUE(round_trip("/rows", {200000, 3}, Placement::rows()));
  EXPECT_TRUE(round_trip("/columns", {3, 200000}, Placement::columns()));
  EXPECT_TRUE(round_trip("/at", {3, 2, 200000}, Placement::at_time(1)));
  const auto rows = file.read_all<double>("/rows");
  const auto columns = file.read_all<double>("/columns");
  EXPECT_EQ(rows[150000 * 3 + 2], testing::value_at(150000, 2));
  EXPECT_EQ(columns[2 * 200000 + 150000], testing::value_at(150000, 2));
  EXPECT_TRUE(std::isnan(file.read_all<double>("/at")[0]));
}

TEST(NeuronArray, SinglePrecisionAndVectorsRoundTrip) {
  const Folder folder;
  const parallel::Partition partition(1000, 1, 0);
  const auto values = testing::tiled_values<float>(partition, 1);
  auto file = File::create(serial, folder / "a.h5");
  file.create_dataset({.path = "/x", .shape = {1000}, .dimensions = {}, .type = Type::f64});
  write_neurons<float>(file, "/x", partition, 1, values, Placement::vector());
  std::vector<float> again(values.size(), -1);
  read_neurons<float>(file, "/x", partition, 1, again);
  EXPECT_EQ(again, values);
  std::vector<float> two(values.size() * 2);
  EXPECT_THAT(message_of<InputDataError>([&] { read_neurons<float>(file, "/x", partition, 2, two); }),
              HasSubstr("has shape [1000], expected [1000, 2]"));
}

}  // namespace
}  // namespace rankflow::io
