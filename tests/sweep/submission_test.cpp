#include "sweep/submission.hpp"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sweep/command.hpp"

namespace rankflow::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Extent extent_of(std::int64_t unfinished) {
  return {.directory = "/data/my study", .unfinished = unfinished, .ranks = 4, .program = "/opt/it's/rankflow"};
}

std::string text_of(const Submission& submission, const std::string& name) {
  const auto found = std::ranges::find(submission.files(), name, &Submission::File::name);
  return found == submission.files().end() ? "" : found->text;
}

TEST(Submission, HasEnoughTasksForItsCases) {
  EXPECT_EQ(Submission(extent_of(1), {.per_task = 10}).tasks(), 1);
  EXPECT_EQ(Submission(extent_of(20), {.per_task = 10}).tasks(), 2);
  EXPECT_EQ(Submission(extent_of(21), {.per_task = 10}).tasks(), 3);
  EXPECT_EQ(Submission(extent_of(5000), {}).tasks(), 1000);  // tasks share the cases, and SLURM counts to 1000
  auto extent = extent_of(5000);
  extent.most_tasks = 4000;
  EXPECT_EQ(Submission(extent, {}).tasks(), 4000);
  EXPECT_EQ(Submission(extent, {}).tasks_wanted(), 5000);
  EXPECT_EQ(Submission(extent, {.per_task = 2}).tasks(), 2500);
  extent.most_tasks = 0;
  EXPECT_THAT([&] { Submission(extent, {}); },
              testing::ThrowsMessage<ConfigurationError>(HasSubstr("has no job arrays (MaxArraySize = 0)")));
}

TEST(Submission, AsksTheClusterHowManyTasks) {
  EXPECT_EQ(most_array_tasks("MailProg  = /bin/mail\nMaxArraySize            = 75001\nMaxJobCount = 3\n", 7), 75001);
  EXPECT_EQ(most_array_tasks("MaxArraySize = 0\n", 7), 0);
  EXPECT_EQ(most_array_tasks("", 7), 7);
  EXPECT_EQ(most_array_tasks("MaxArraySize", 7), 7);
}

TEST(Submission, SaysTheDirectoryAsSlurmUnderstandsIt) {
  auto extent = extent_of(2);
  extent.directory = "/data/50% rank";
  const auto text = text_of(Submission(extent, {}), "sweep.sbatch");
  EXPECT_THAT(text, HasSubstr("\n#SBATCH --output=\"/data/50%% rank/jobs/%x-%A_%a.log\"\n"));
  EXPECT_THAT(text, HasSubstr("\n#SBATCH --job-name=\"50% rank\"\n"));
  for (const auto* name : {"/data/so \"called\"", "/data/back\\slash", "/data/two\nlines"}) {
    extent.directory = name;
    EXPECT_THAT([&] { Submission(extent, {}); },
                testing::ThrowsMessage<ConfigurationError>(HasSubstr("give sweep.directory or -o another name")));
  }
}

TEST(Submission, SaysInTheScriptWhatItAsksFor) {
  const auto text = text_of(Submission(extent_of(12), {.per_task = 5, .throttle = 2}), "sweep.sbatch");
  EXPECT_THAT(text, HasSubstr("\n#SBATCH --array=0-2%2\n"));
  EXPECT_THAT(text, HasSubstr("\n#SBATCH --ntasks=4\n"));
  EXPECT_THAT(text, HasSubstr("\n#SBATCH --output=\"/data/my study/jobs/%x-%A_%a.log\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("--ntasks=1")));
  EXPECT_THAT(text, HasSubstr("\n#SBATCH --signal=B:USR1@120\n"));
  EXPECT_THAT(text, HasSubstr("\nRANKFLOW_PROGRAM='/opt/it'\\''s/rankflow'\n"));
  EXPECT_THAT(text_of(Submission(extent_of(12), {}), "sweep.sbatch"), HasSubstr("\n#SBATCH --array=0-11\n"));
}

TEST(Submission, CollectsUnlessToldOtherwise) {
  const Submission submission(extent_of(2), {.time = "02:00:00"});
  EXPECT_THAT(submission.work_command({"--parsable"}), ElementsAre("bash", "/data/my study/jobs/sweep.sbatch",
                                                                   "--parsable", "--time=02:00:00", "/data/my study"));
  EXPECT_THAT(submission.collect_command({}), ElementsAre("bash", "/data/my study/jobs/sweep_collect.sbatch",
                                                          "/data/my study", "-o", "/data/my study/results.h5"));
  EXPECT_NE(text_of(submission, "sweep_collect.sbatch"), "");
  EXPECT_EQ(text_of(Submission(extent_of(2), {.collect = false}), "sweep_collect.sbatch"), "");
}

TEST(Command, GivesOutputAndExitCode) {
  const auto finished = run_command({"sh", "-c", "echo one; echo two; exit 7"});
  EXPECT_EQ(finished.exit_code, 7);
  EXPECT_EQ(finished.output, "one\ntwo\n");
  EXPECT_EQ(run_command({"sh", "-c", "kill -9 $$"}).exit_code, 128 + 9);
  EXPECT_THROW(run_command({"no-such-program-anywhere"}), InputOutputError);
}

TEST(Command, SeesTheEnvironmentThatThisProcessWasStartedWith) {
  setenv("RANKFLOW_ADDED_LATER", "yes", 1);
  EXPECT_EQ(run_command({"sh", "-c", "echo $RANKFLOW_ADDED_LATER"}).output, "\n");
  EXPECT_EQ(run_command({"sh", "-c", "echo $PATH"}).output, std::string(std::getenv("PATH")) + "\n");
  unsetenv("RANKFLOW_ADDED_LATER");
}

TEST(Command, LooksForProgramsInThePath) {
  EXPECT_TRUE(has_program("sh"));
  EXPECT_FALSE(has_program("no-such-program-anywhere"));
}

}  // namespace
}  // namespace rankflow::sweep
