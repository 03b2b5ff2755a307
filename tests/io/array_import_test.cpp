#include "io/array_import.hpp"

#include <cstring>
#include <limits>

#include <zip.h>

#include "io/npy.hpp"
#include "io/support.hpp"

namespace rankflow::io {
namespace {

using ::testing::ElementsAre;
using testing::Folder;
using ::testing::HasSubstr;
using testing::message_of;

const parallel::Communicator serial;

/// A .npy file as numpy writes it.
template <class T>
std::string npy(const std::string& type, bool fortran, const std::string& shape, const std::vector<T>& values,
                char version = 1) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  while ((header.size() + 11) % 16 != 0) header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += {version, 0, static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
  if (version == 2) bytes += {0, 0};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return bytes;
}

void write_npz(const std::filesystem::path& path, const std::map<std::string, std::string>& members) {
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  ASSERT_NE(archive, nullptr);
  for (const auto& [name, bytes] : members)
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0), ZIP_FL_OVERWRITE);
  ASSERT_EQ(zip_close(archive), 0);
}

void write_h5(const std::filesystem::path& path, const Shape& shape, const std::vector<double>& values) {
  auto file = File::create(serial, path);
  file.create_dataset({.path = "/weights/m", .shape = shape, .dimensions = {}});
  file.write_all("/weights/m", std::span<const double>(values));
}

TEST(ReadArray, EveryNumberTypeAndVersion) {
  const Folder folder;
  const auto read = [&](const std::string& bytes) {
    testing::write_bytes(folder / "a.npy", bytes);
    return read_array(serial, {folder / "a.npy"}).data;
  };
  EXPECT_THAT(read(npy<float>("<f4", false, "(2,)", {1.5F, -2})), ElementsAre(1.5, -2));
  EXPECT_THAT(read(npy<double>("<f8", false, "(2,)", {0.1, -2})), ElementsAre(0.1, -2));
  EXPECT_THAT(read(npy<std::int32_t>("<i4", false, "(2,)", {-7, 8})), ElementsAre(-7, 8));
  EXPECT_THAT(read(npy<std::int64_t>("<i8", false, "(2,)", {-7, 8})), ElementsAre(-7, 8));
  EXPECT_THAT(read(npy<std::uint8_t>("|u1", false, "(2,)", {255, 8})), ElementsAre(255, 8));
  EXPECT_THAT(read(npy<std::uint8_t>("|b1", false, "(2,)", {1, 0})), ElementsAre(1, 0));
  EXPECT_THAT(read(npy<double>("<f8", false, "(2,)", {3, 4}, 2)), ElementsAre(3, 4));
  EXPECT_THAT(read(npy<double>("<f8", false, "()", {3})), ElementsAre(3));
}

TEST(ReadArray, OrdersAndFormatsAgree) {
  const Folder folder;
  testing::write_bytes(folder / "c.npy", npy<double>("<f8", false, "(2, 3)", {1, 2, 3, 4, 5, 6}));
  testing::write_bytes(folder / "f.npy", npy<double>("<f8", true, "(2, 3)", {1, 4, 2, 5, 3, 6}));
  write_npz(folder / "a.npz", {{"m.npy", npy<double>("<f8", true, "(2, 3)", {1, 4, 2, 5, 3, 6})},
                               {"bias.npy", npy<double>("<f8", false, "(1,)", {9})}});
  write_h5(folder / "a.h5", {2, 3}, {1, 2, 3, 4, 5, 6});
  const std::vector<ArraySource> sources{
      {folder / "c.npy"}, {folder / "f.npy"}, {folder / "a.npz", "m"}, {folder / "a.h5", "weights/m"}};
  for (const auto& source : sources) {
    const auto array = read_array(serial, source, {2, 0});
    EXPECT_EQ(array.shape, (Shape{2, 3})) << source.describe();
    EXPECT_THAT(array.data, ElementsAre(1, 2, 3, 4, 5, 6)) << source.describe();
    EXPECT_EQ(array_shape(serial, source), (Shape{2, 3}));
  }
}

class NeuronArrays : public ::testing::Test {
 protected:
  static constexpr std::int64_t neurons = 700;
  static constexpr std::size_t columns = 3;

  NeuronArrays() {
    std::vector<double> c_order;
    std::vector<double> f_order;
    for (std::int64_t i = 0; i < neurons; ++i)
      for (std::size_t c = 0; c < columns; ++c) c_order.push_back(testing::value_at(i, c));
    for (std::size_t c = 0; c < columns; ++c)
      for (std::int64_t i = 0; i < neurons; ++i) f_order.push_back(testing::value_at(i, c));
    testing::write_bytes(folder_ / "c.npy", npy("<f8", false, "(700, 3)", c_order));
    testing::write_bytes(folder_ / "f.npy", npy("<f8", true, "(700, 3)", f_order));
    testing::write_bytes(folder_ / "ct.npy", npy("<f8", false, "(3, 700)", f_order));
    testing::write_bytes(folder_ / "ft.npy", npy("<f8", true, "(3, 700)", c_order));
    write_npz(folder_ / "a.npz", {{"m.npy", npy("<f8", false, "(700, 3)", c_order)}});
    write_h5(folder_ / "a.h5", {700, 3}, c_order);
    write_h5(folder_ / "t.h5", {3, 700}, f_order);
  }

  template <class T>
  std::vector<T> read(const std::string& name, const NeuronArrayOptions& options, int ranks = 1, int rank = 0,
                      const std::string& member = "") const {
    const parallel::Partition partition(neurons, ranks, rank);
    std::vector<T> tiled(static_cast<std::size_t>(partition.padded_count()) * columns, T{-1});
    read_neuron_array<T>(serial, {folder_ / name, member}, partition, columns, tiled, options);
    return tiled;
  }

  Folder folder_;
};

TEST_F(NeuronArrays, AllFormatsAndOrdersGiveTheSameTiles) {
  const auto expected = testing::tiled_values<double>(parallel::Partition(neurons, 1, 0), columns);
  EXPECT_EQ(read<double>("c.npy", {}), expected);
  EXPECT_EQ(read<double>("f.npy", {}), expected);
  EXPECT_EQ(read<double>("ct.npy", {.transpose = true}), expected);
  EXPECT_EQ(read<double>("ft.npy", {.transpose = true}), expected);
  EXPECT_EQ(read<double>("a.npz", {}, 1, 0, "m"), expected);
  EXPECT_EQ(read<double>("a.h5", {}, 1, 0, "/weights/m"), expected);
  EXPECT_EQ(read<double>("t.h5", {.transpose = true}, 1, 0, "/weights/m"), expected);
  EXPECT_NE(read<double>("c.npy", {.scale = 2}), expected);
}

TEST_F(NeuronArrays, ScaleAndPrecision) {
  const auto values = read<float>("f.npy", {.scale = 2});
  EXPECT_EQ(values[1 + 512 * 2], 2.0F * static_cast<float>(testing::value_at(1, 2)));
  EXPECT_EQ(read<float>("a.h5", {.scale = 2}, 1, 0, "weights/m"), values);
}

TEST_F(NeuronArrays, ARankReadsItsShareOnly) {
  const parallel::Partition second(neurons, 2, 1);
  const auto expected = testing::tiled_values<double>(second, columns);
  ASSERT_EQ(second.begin(), 512);
  EXPECT_EQ(read<double>("c.npy", {}, 2, 1), expected);
  EXPECT_EQ(read<double>("f.npy", {}, 2, 1), expected);
  EXPECT_TRUE(read<double>("f.npy", {}, 3, 2).empty());
}

TEST_F(NeuronArrays, ShapeErrorsNameBothAndTheRemedy) {
  EXPECT_THAT(message_of<InputDataError>([&] { read<double>("c.npy", {.transpose = true}); }),
              HasSubstr("has shape [700, 3], expected [3, 700]; it seems to be transposed"));
  const parallel::Partition partition(699, 1, 0);
  std::vector<double> tiled(static_cast<std::size_t>(partition.padded_count()) * columns);
  EXPECT_THAT(message_of<InputDataError>(
                  [&] { read_neuron_array<double>(serial, {folder_ / "c.npy"}, partition, columns, tiled); }),
              HasSubstr("has shape [700, 3], expected [699, 3]"));
  EXPECT_THAT(message_of<InputDataError>([&] { read_array(serial, {folder_ / "c.npy"}, {0}); }),
              HasSubstr("expected [any]"));
}

TEST_F(NeuronArrays, FirstBadValueIsNamed) {
  std::vector<double> values(1400, 1.0);
  values[2 * 600 + 1] = std::numeric_limits<double>::quiet_NaN();
  values[2 * 650] = std::numeric_limits<double>::infinity();
  testing::write_bytes(folder_ / "nan.npy", npy("<f8", false, "(700, 2)", values));
  const parallel::Partition partition(700, 1, 0);
  std::vector<double> tiled(2048);
  const ArraySource source{folder_ / "nan.npy"};
  EXPECT_THAT(message_of<InputDataError>([&] { read_neuron_array<double>(serial, source, partition, 2, tiled); }),
              HasSubstr("first at neuron 600, column 1"));
  EXPECT_THAT(message_of<InputDataError>([&] { read_array(serial, source); }), HasSubstr("holds nan at [600, 1]"));
}

TEST(ReadArrayErrors, FilesAndMembers) {
  const Folder folder;
  const auto message = [&](const ArraySource& source) {
    return message_of<InputDataError>([&] { read_array(serial, source); });
  };
  write_npz(folder / "a.npz", {{"weights.npy", npy<double>("<f8", false, "(1,)", {1})}, {"readme.txt", "text"}});
  write_h5(folder / "a.h5", {1}, {1});
  testing::write_bytes(folder / "a.npy", npy<double>("<f8", false, "(1,)", {1}));
  testing::write_bytes(folder / "text", "1 2 3 4 5 6 7 8");
  EXPECT_THAT(message({folder / "none.npy"}), HasSubstr("does not exist"));
  EXPECT_THAT(message({folder.path()}), HasSubstr("is a directory"));
  EXPECT_THAT(message({folder / "text"}), HasSubstr("neither .npy nor .npz nor HDF5"));
  EXPECT_THAT(message({folder / "a.npz"}), HasSubstr("name the array to read; it holds: weights"));
  EXPECT_THAT(message({folder / "a.npz", "weigths"}), HasSubstr("Did you mean 'weights'? It holds: weights"));
  EXPECT_THAT(message({folder / "a.npy", "m"}), HasSubstr("leave 'm' out"));
  EXPECT_THAT(message({folder / "a.h5"}), HasSubstr("name the dataset to read"));
  EXPECT_THAT(message({folder / "a.h5", "/weights/n"}), HasSubstr("Did you mean '/weights/m'?"));
  EXPECT_NO_THROW(read_array(serial, {folder / "a.h5", "/weights/m"}));
}

TEST(ReadArrayErrors, DamagedArrays) {
  const Folder folder;
  const auto message = [&](const std::string& bytes) {
    testing::write_bytes(folder / "a.npy", bytes);
    return message_of<InputDataError>([&] { read_array(serial, {folder / "a.npy"}); });
  };
  const auto good = npy<double>("<f8", false, "(3,)", {1, 2, 3});
  EXPECT_THAT(message(good.substr(0, good.size() - 1)),
              HasSubstr("is cut off: shape [3] of float64 needs 24 bytes of data, found 23"));
  EXPECT_THAT(message(good.substr(0, 40)), HasSubstr("ends within its .npy header"));
  EXPECT_THAT(message(good.substr(0, 11)), HasSubstr("ends within its .npy header"));
  EXPECT_THAT(message(npy<double>(">f8", false, "(1,)", {1})), HasSubstr("type '>f8' cannot be read; allowed: <f4"));
  EXPECT_THAT(message(npy<double>("<c16", false, "(1,)", {1, 2})), HasSubstr("type '<c16' cannot be read"));
  EXPECT_THAT(message(npy<double>("<f8", false, "(1,)", {1}, 3)), HasSubstr(".npy version 3 cannot be read"));
  auto headless = good;
  headless.replace(headless.find("shape"), 5, "shade");
  EXPECT_THAT(message(headless), HasSubstr("lacks 'shape'"));
}

TEST(ReadArrayErrors, BrokenArchive) {
  const Folder folder;
  testing::write_bytes(folder / "a.npz", std::string("PK\x03\x04 and nothing more"));
  EXPECT_THAT(message_of<InputDataError>([&] {
                read_array(serial, {folder / "a.npz", "m"});
              }),
              HasSubstr("cannot be read as a .npz archive"));
}

}  // namespace
}  // namespace rankflow::io
