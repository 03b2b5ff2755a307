#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

TEST(Reference, HasASectionPerTable) {
  const auto text = reference_markdown<Root>("Options of sample");
  EXPECT_THAT(text, mentions("# Options of sample\n", "## `[network]`\n\nwhat the network is\n",
                             "## `[network.bulk]` (optional)", "## `[[inputs]]` (any number)\n\none entry per input\n",
                             "## `[inputs.envelope]`"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("Top level")));
}

TEST(Reference, HasARowPerKey) {
  const auto text = reference_markdown<Root>("Options");
  EXPECT_THAT(
      text,
      mentions("| `step` | real | `0.001` | s | above 0, at most 1 | time step |",
               "| `save_every` | real | not set | s | above 0 | interval \\| saved |",
               "| `method` | choice | `\"euler\"` |  | `\"euler\"`: explicit Euler; `\"bdf\"`: stiff | integrator |",
               "| `mean` | reals | `[0.5, 0.1]` |  | 2 entries | mean |"));
  for (const auto& table : list_tables<Root>())
    for (const auto& key : table.keys) EXPECT_THAT(text, mentions("| `" + key.key + "` | " + key.type + " |"));
}

TEST(Reference, ListsEveryKeyThatIsRead) {
  const auto names = dotted_names(list_tables<Root>());
  const auto loaded = read("network.bulk = {}\n[[inputs]]");
  for (const auto& [key, place] : loaded.where) EXPECT_THAT(names, testing::Contains(key));
  EXPECT_THAT(names, testing::Contains("inputs.0.envelope.rise"));
}

struct Top {
  std::int64_t seed = 0;
  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed", .required = true});
  }
};

TEST(Reference, ShowsTopLevelAndRequiredKeys) {
  EXPECT_THAT(reference_markdown<Top>("T"), mentions("## Top level", "| `seed` | integer | required |"));
}

}  // namespace
}  // namespace rankflow::config::sample
