#include "sweep/plan.hpp"

#include "config/parse.hpp"
#include "plan_support.hpp"

namespace rankflow::sweep {
namespace {

class PlanOfSweep : public SweepFile {
 protected:
  const std::string ranks_ = "[sweep.grid]\nnetwork.rank = [1, 2]\n";
};

TEST_F(PlanOfSweep, IdentityIsThatOfTheRun) {
  const auto reference = ids(planned(ranks_));
  // Neither the sweep's name, the order of the cases, nor how a value came to be changes it.
  EXPECT_EQ(reference, ids(planned("directory = 'other'\ntimeout = 9.0\n[[sweep.cases]]\nnetwork.rank = 2\n"
                                   "[[sweep.cases]]\nnetwork.rank = 1\n")));
  write("base.toml",
        "network = { rank = 2, neurons = 64 }\nrun.seed = 5\nrun.wall_time = 60.0\ndata.file = 'eeg.h5'\n");
  EXPECT_EQ(reference, ids(planned(ranks_)));
  write("base.toml", "network = { rank = 2, neurons = 65 }\nrun.seed = 5\ndata.file = 'eeg.h5'\n");
  EXPECT_NE(reference, ids(planned(ranks_)));
}

TEST_F(PlanOfSweep, IdentityDependsOnSeedAndDriver) {
  const auto one = ids(planned("seeds = [1]\n"));
  EXPECT_NE(one, ids(planned("seeds = [2]\n")));
  write("base.toml", "[network]\nsource = 'preset'\npreset = 'limit_cycle'\nneurons = 20\n");
  const auto run = plan_sweep(write("a.toml", "sweep = { base = 'base.toml', driver = 'simulate' }"), {});
  const auto data = plan_sweep(write("b.toml", "sweep = { base = 'base.toml', driver = 'generate recording' }"), {});
  EXPECT_NE(ids(run), ids(data));
}

TEST_F(PlanOfSweep, ExtendingKeepsWhatIsThere) {
  const auto few = ids(planned(ranks_));
  const auto more = ids(planned("[sweep.grid]\nnetwork.rank = [3, 1, 2]\n"));
  EXPECT_TRUE(std::ranges::includes(more, few));
  EXPECT_EQ(more.size(), 3U);
}

TEST_F(PlanOfSweep, MovingFolderAndDataTogetherKeepsIdentities) {
  const auto here = ids(planned(ranks_));
  for (const char* name : {"base.toml", "study.toml"}) {
    std::filesystem::create_directories(folder_.path() / "moved");
    std::filesystem::copy_file(folder_.path() / name, folder_.path() / "moved" / name);
  }
  EXPECT_EQ(here, ids(plan_sweep(folder_.path() / "moved" / "study.toml", {})));
}

TEST_F(PlanOfSweep, FilesAreRelativeToTheSweepFile) {
  const auto result = plan_sweep(
      write("deeper/study.toml", "[sweep]\nbase = '../base.toml'\n[sweep.grid]\ndata.file = ['a.h5', '../b.h5']\n"),
      {});
  EXPECT_THAT(result.plan.cases[0].configuration, mentions((folder_.path() / "deeper/a.h5").string()));
  EXPECT_THAT(result.plan.cases[1].configuration, mentions((folder_.path() / "b.h5").string()));
  EXPECT_EQ(result.plan.directory, folder_.path() / "deeper" / "study");
}

TEST_F(PlanOfSweep, ReadsBackAsWritten) {
  auto plan = planned(
                  "seeds = 2\nranks = 3\nmetric = 'log_likelihood'\ndirection = 'minimise'\ntimeout = 60.0\n"
                  "[sweep.submit]\nper_task = 4\n[sweep.grid]\nnetwork.rank = [1, 2]\n"
                  "'encoder.kernels' = [[3, 1], [5, 3, 1]]\nsmc.proposal = ['optimal', 'encoder']\n")
                  .plan;
  plan.cases.back().configuration += "[of_another_length]\nkey = \"a\\\"b\"\n";
  write_plan(plan);
  const auto again = read_plan(plan.directory);
  EXPECT_EQ(again.directory, plan.directory);
  EXPECT_EQ(again.source, plan.source);
  EXPECT_EQ(again.metric, "log_likelihood");
  EXPECT_FALSE(again.maximise);
  EXPECT_EQ(again.timeout, 60);
  EXPECT_EQ(again.submit.per_task, 4);
  ASSERT_EQ(again.cases.size(), 16U);
  for (std::size_t i = 0; i < plan.cases.size(); ++i) {
    EXPECT_EQ(again.cases[i].id, plan.cases[i].id);
    EXPECT_EQ(again.cases[i].driver, "fit vsmc");
    EXPECT_EQ(again.cases[i].varied, plan.cases[i].varied);
    EXPECT_EQ(again.cases[i].seed, plan.cases[i].seed);
    EXPECT_EQ(again.cases[i].ranks, 3);
    EXPECT_EQ(again.cases[i].configuration, plan.cases[i].configuration);
  }
}

TEST_F(PlanOfSweep, WhatSaysTheSameIsNotWritten) {
  const auto plan = planned(ranks_).plan;
  write_plan(plan);
  make_older(plan_path(plan.directory), 100);
  const auto before = std::filesystem::last_write_time(plan_path(plan.directory));
  write_plan(plan);
  EXPECT_EQ(std::filesystem::last_write_time(plan_path(plan.directory)), before);
  write_plan(planned(ranks_ + "smc.particles = [4, 8]\n").plan);
  EXPECT_NE(std::filesystem::last_write_time(plan_path(plan.directory)), before);
}

TEST_F(PlanOfSweep, DirectoriesOfOthersAreRefused) {
  const auto mine = planned("directory = 'place'\n" + ranks_).plan;
  write_plan(mine);
  const auto of = [&](const std::string& name, const std::string& text) {
    return make_plan(write(name, "[sweep]\nbase = 'base.toml'\ndirectory = 'place'\n" + text), {});
  };
  EXPECT_NO_THROW(write_plan(of("renamed.toml", ranks_)));
  EXPECT_NO_THROW(write_plan(of("renamed.toml", "[sweep.grid]\nnetwork.rank = [4, 5]\n")));
  try {
    write_plan(of("other.toml", "[sweep.grid]\nnetwork.rank = [6, 7]\n"));
    FAIL() << "another sweep's directory was taken";
  } catch (const ConfigurationError& error) {
    EXPECT_THAT(error.what(), mentions("place' is the directory of another sweep", "renamed.toml", "other.toml",
                                       "give sweep.directory or -o another name"));
  }
}

TEST_F(PlanOfSweep, DirectoriesThatHoldSomethingElseAreRefused) {
  write("full/letter.txt", "dear");
  write("file", "x");
  const auto complaint_about = [&](const std::string& name) {
    try {
      write_plan(planned("directory = '" + name + "'\n").plan);
    } catch (const ConfigurationError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(complaint_about("full"), mentions("full' is not empty and holds no sweep", "a new directory"));
  EXPECT_THAT(complaint_about("file"), mentions("file' is a file", "needs a directory"));
  std::filesystem::create_directories(folder_.path() / "empty");
  EXPECT_EQ(complaint_about("empty"), "");
}

TEST_F(PlanOfSweep, DamagedAndMissingPlansAreNamed) {
  EXPECT_THROW(read_plan(folder_.path()), ConfigurationError);
  const auto plan = planned(ranks_).plan;
  write_plan(plan);
  const auto file = plan_path(plan.directory);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 10);
  try {
    read_plan(plan.directory);
    FAIL() << "a damaged plan was read";
  } catch (const InputOutputError& error) {
    EXPECT_THAT(error.what(), mentions("plan.toml' is damaged", "make the plan anew"));
  }
  // The sweep file makes it anew.
  EXPECT_THAT(require_own_directory(plan), mentions("plan.toml' is damaged"));
  EXPECT_THAT(write_plan(plan), mentions("plan.toml' is damaged"));
  EXPECT_EQ(read_plan(plan.directory).cases.size(), 2U);
  EXPECT_EQ(write_plan(plan), "");
}

TEST_F(PlanOfSweep, APlanThatAnotherSweepFileReplacedIsNoticed) {
  const auto of = [&](const std::string& name, const std::string& text) {
    return make_plan(write(name, "[sweep]\nbase = 'base.toml'\ndirectory = 'place'\n" + text), {});
  };
  const auto plan = of("first.toml", "[sweep.grid]\nnetwork.rank = [1, 2]\n");
  EXPECT_EQ(contradiction_on_disk(plan), "") << "there is none";
  write_plan(plan);
  EXPECT_EQ(contradiction_on_disk(plan), "");
  write_plan(of("first.toml", "[sweep.grid]\nnetwork.rank = [1, 2, 3]\n"));
  EXPECT_EQ(contradiction_on_disk(plan), "") << "all cases are still there";
  write_plan(of("second.toml", "[sweep.grid]\nnetwork.rank = [2, 3]\n"));
  EXPECT_THAT(contradiction_on_disk(plan),
              mentions("place was planned anew meanwhile, from", "second.toml, without case " + plan.cases[0].id));
  write_plan(of("first.toml", "ranks = 2\n[sweep.grid]\nnetwork.rank = [1, 2]\n"));
  EXPECT_THAT(contradiction_on_disk(plan), mentions("with 2 ranks instead of 1 for case"));
}

TEST_F(PlanOfSweep, PlansOfOtherFormatsAreKept) {
  const auto plan = planned(ranks_).plan;
  write_plan(plan);
  auto text = config::read_text_file(plan_path(plan.directory).string());
  text.replace(text.find("format = 1"), 10, "format = 9");
  std::ofstream(plan_path(plan.directory)) << text;
  EXPECT_THROW(write_plan(plan), ConfigurationError);
  EXPECT_EQ(config::read_text_file(plan_path(plan.directory).string()), text);
}

}  // namespace
}  // namespace rankflow::sweep
