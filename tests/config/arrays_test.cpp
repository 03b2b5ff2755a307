#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

using testing::ElementsAre;

ArraySource array(const std::string& value) {
  return read("network.m = " + value).options.network.m;
}
std::string here(const std::string& name) {
  return (std::filesystem::current_path() / name).string();
}

TEST(Arrays, InlineValuesHaveOneToThreeDimensions) {
  EXPECT_FALSE(read("").options.network.m.given);
  EXPECT_TRUE(array("[1, 2]").given);
  EXPECT_THAT(array("[1, 2]").shape, ElementsAre(2));
  EXPECT_THAT(array("[[1, 2, 3], [4, 5, 6]]").shape, ElementsAre(2, 3));
  EXPECT_THAT(array("[[1, 2, 3], [4, 5, 6]]").values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(array("[[[1, 2]], [[3, 4]], [[5, 6]]]").shape, ElementsAre(3, 1, 2));
  EXPECT_THAT(array("[[[1, 2]], [[3, 4]], [[5, 6]]]").values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(array("[]").shape, ElementsAre(0));
  EXPECT_THAT(array("[[], []]").shape, ElementsAre(2, 0));
}

TEST(Arrays, FilesMayNameAMember) {
  EXPECT_EQ(array("'w.npy'").path, here("w.npy"));
  EXPECT_EQ(array("'w.npy'").member, "");
  EXPECT_EQ(array("'w.npz:m'").path, here("w.npz"));
  EXPECT_EQ(array("'w.npz:m'").member, "m");
  EXPECT_EQ(array("'../fit.h5:/group/m'").path, (std::filesystem::current_path().parent_path() / "fit.h5").string());
  EXPECT_EQ(array("'fit.h5:/group/m'").member, "/group/m");
  EXPECT_EQ(array("'fit.h5:/group/a:b'").member, "/group/a:b");
  EXPECT_EQ(array("'fit:/m'").member, "/m");
  EXPECT_EQ(array("'a:b/w.npy'").path, here("a:b/w.npy"));
}

TEST(Arrays, TablesAddTransposeScaleAndMember) {
  const auto source = array("{ file = 'fit.h5:/n', transpose = true, scale = 512 }");
  EXPECT_EQ(source.path, here("fit.h5"));
  EXPECT_EQ(source.member, "/n");
  EXPECT_TRUE(source.transpose);
  EXPECT_EQ(source.scale, 512.0);
  EXPECT_EQ(array("{ file = 'a.b:c.npz', member = 'm' }").path, here("a.b:c.npz"));
  const auto inline_values = array("{ values = [[1, 2]], scale = 0.5 }");
  EXPECT_TRUE(inline_values.given);
  EXPECT_THAT(inline_values.values, ElementsAre(1, 2));
  EXPECT_THAT(inline_values.shape, ElementsAre(1, 2));
  EXPECT_EQ(inline_values.scale, 0.5);
}

TEST(Arrays, BadShapesAndElementsAreNamed) {
  EXPECT_THAT(complaint("network.m = [[1, 2], [3]]"),
              mentions("net.toml:1", "'network.m.1' = [3] has 1 entries", "first list of its level has 2"));
  EXPECT_THAT(complaint("network.m = [1, [2]]"), mentions("'network.m.1' = [2] is a list"));
  EXPECT_THAT(complaint("network.m = [[1], 2]"), mentions("'network.m.1' = 2 is an integer"));
  EXPECT_THAT(complaint("network.m = [[[[1]]]]"),
              mentions("'network.m'", "nests 4 levels", "one to three nested lists"));
  EXPECT_THAT(complaint("network.m = [[[1]], [[[2]]]]"), mentions("'network.m.1.0.0' = [2] is a list"));
  EXPECT_THAT(complaint("network.m = [1, \"x\"]"), mentions("'network.m.1' = \"x\" is text"));
  EXPECT_THAT(complaint("network.m = [1, 101]"), mentions("'network.m.1' = 101 is out of range", "at most 100"));
  EXPECT_THAT(complaint("network.m = 3"), mentions("'network.m' = 3 is an integer", "file.npz:name"));
  EXPECT_THAT(complaint("network.m = ''"), mentions("'network.m' = \"\" is empty text"));
}

TEST(Arrays, BadTablesAreNamed) {
  EXPECT_THAT(complaint("[network]\nm = { transpose = true }"), mentions("net.toml:2", "'network.m.file'", "neither"));
  EXPECT_THAT(complaint("network.m = { file = 'a', values = [1] }"), mentions("both 'file' and 'values'"));
  EXPECT_THAT(complaint("network.m = { values = [1], member = 'm' }"),
              mentions("'network.m.member'", "belongs to a 'file'"));
  EXPECT_THAT(complaint("network.m = { values = 'a.npy' }"), mentions("'network.m.values'", "by the key 'file'"));
  EXPECT_THAT(complaint("network.m = { file = '' }"), mentions("'network.m.file'", "empty"));
  EXPECT_THAT(complaint("network.m = { file = 'a', scale = 'x' }"), mentions("'network.m.scale' = \"x\" is text"));
  EXPECT_THAT(complaint("network.m = { fiel = 'a' }"), mentions("'network.m.fiel'", "Did you mean 'network.m.file'"));
  EXPECT_THAT(complaint("network.m = { values = [200] }"), mentions("'network.m.values.0' = 200 is out of range"));
}

}  // namespace
}  // namespace rankflow::config::sample
