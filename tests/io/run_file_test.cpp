#include "io/run_file.hpp"

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

#include "io/support.hpp"

namespace rankflow::io {
namespace {

using testing::Folder;
using ::testing::HasSubstr;
using testing::message_of;

const parallel::Communicator serial;
constexpr std::uint64_t times = 1000;

RunLayout layout_of(std::uint64_t steps) {
  RunLayout layout;
  std::vector<double> time(steps);
  for (std::size_t t = 0; t < steps; ++t) time[t] = 0.01 * static_cast<double>(t);
  layout.coordinates.push_back({"/trajectory/time", time, "s", "time"});
  layout.datasets.push_back(
      {.path = "/trajectory/latent", .shape = {1, steps, 2}, .dimensions = {"trial", "time", "rank"}, .units = "1"});
  layout.datasets.push_back({.path = "/integrator/steps", .shape = {1}, .dimensions = {"trial"}, .type = Type::i64});
  layout.attributes["/trajectory"] = {{"activation", "tanh"}};
  return layout;
}

void write_time(RunFile& run, std::uint64_t t, double value) {
  const std::vector<double> row{value, -value};
  run.write_rows<double>("/trajectory/latent", {0, t, 0}, {1, 1, 2}, row);
}

Provenance provenance_of(const std::string& configuration) {
  return {.configuration = configuration, .seed = 7};
}

std::string status_of(const std::filesystem::path& path) {
  return std::get<std::string>(*File::open(serial, path).attribute("/provenance", "status"));
}

TEST(RunFile, LifeFromStartToEnd) {
  const Folder folder;
  {
    auto run = RunFile::create(serial, folder / "run.h5", provenance_of("seed = 7"), layout_of(times));
    EXPECT_EQ(status_of(folder / "run.h5"), "running");
    for (std::uint64_t t = 0; t < times; ++t) write_time(run, t, static_cast<double>(t));
    run.finish();
  }
  const auto file = File::open(serial, folder / "run.h5");
  EXPECT_NO_THROW(require_file_type(file, FileType::run));
  EXPECT_EQ(file.read_all<double>("/trajectory/latent")[2 * 500 + 1], -500.0);
  const auto values = file.attributes("/provenance");
  for (const auto* name : {"code_version", "git_hash", "configuration", "seed", "ranks", "host", "start_time",
                           "end_time", "status", "wall_seconds", "hdf5_version"})
    EXPECT_TRUE(values.contains(name)) << name;
  EXPECT_EQ(std::get<std::string>(values.at("status")), "complete");
  EXPECT_EQ(std::get<std::uint64_t>(values.at("seed")), 7U);
  EXPECT_EQ(std::get<std::int64_t>(values.at("ranks")), 1);
  EXPECT_THAT(std::get<std::string>(values.at("end_time")), ::testing::MatchesRegex("....-..-..T..:..:..Z"));
  EXPECT_EQ(file.attributes("/").size(), 2U) << "provenance outside of /provenance";
}

TEST(RunFile, StoppedRunGoesOn) {
  const Folder folder;
  {
    auto run = RunFile::create(serial, folder / "run.h5", provenance_of("a = 1"), layout_of(times));
    write_time(run, 0, 1.0);
    run.finish(Status::stopped);
  }
  EXPECT_EQ(status_of(folder / "run.h5"), "stopped");
  auto run = RunFile::resume(serial, folder / "run.h5");
  EXPECT_EQ(run.configuration(), "a = 1");
  write_time(run, 1, 2.0);
  run.finish();
  const auto file = File::open(serial, folder / "run.h5");
  EXPECT_EQ(file.read_all<double>("/trajectory/latent")[0], 1.0);
  EXPECT_EQ(file.read_all<double>("/trajectory/latent")[2], 2.0);
  EXPECT_EQ(std::get<std::int64_t>(*file.attribute("/provenance", "resumes")), 1);
  EXPECT_EQ(status_of(folder / "run.h5"), "complete");
}

TEST(RunFile, FileOfAnotherKindIsNotResumed) {
  const Folder folder;
  { File::create(serial, folder / "foreign.h5"); }
  OutputFile::create(serial, folder / "network.h5", FileType::network, provenance_of("")).finish();
  EXPECT_THAT(message_of<InputDataError>([&] { RunFile::resume(serial, folder / "foreign.h5"); }),
              HasSubstr("is not a Rankflow file"));
  EXPECT_THAT(message_of<InputDataError>([&] { RunFile::resume(serial, folder / "network.h5"); }),
              HasSubstr("is a network file, expected a run file"));
}

TEST(RunFile, NewerFormatIsRefused) {
  const Folder folder;
  OutputFile::create(serial, folder / "a.h5", FileType::run, provenance_of("")).finish();
  {
    auto file = File::open(serial, folder / "a.h5", File::Mode::append);
    file.set_attribute("/", "format_version", std::int64_t{99});
  }
  EXPECT_THAT(message_of<InputDataError>([&] { RunFile::resume(serial, folder / "a.h5"); }),
              HasSubstr("has format version 99, this program reads version 1"));
}

TEST(RunFile, BadStartSparesTheEarlierResult) {
  const Folder folder;
  testing::write_bytes(folder / "run.h5", "earlier result");
  auto broken = layout_of(times);
  broken.datasets.push_back({.path = "/trajectory/x", .shape = {3}, .dimensions = {"time"}});
  EXPECT_THROW(RunFile::create(serial, folder / "run.h5", provenance_of(""), broken), InternalError);
  const auto kept = testing::bytes_of(folder / "run.h5");
  EXPECT_EQ(std::string(kept.begin(), kept.end()), "earlier result");
  EXPECT_FALSE(std::filesystem::exists(folder / "run.h5.partial"));
  RunFile::create(serial, folder / "run.h5", provenance_of(""), layout_of(times)).finish();
  EXPECT_NE(testing::bytes_of(folder / "run.h5"), kept);
}

TEST(RunFile, ImpossibleTargetsAreNamed) {
  const Folder folder;
  testing::write_bytes(folder / "file", "x");
  const auto create = [&](const std::filesystem::path& path) {
    return message_of<InputOutputError>([&] { RunFile::create(serial, path, provenance_of(""), layout_of(2)); });
  };
  EXPECT_THAT(create(folder.path()), HasSubstr("it is a directory; give the name of a file"));
  EXPECT_THAT(create(folder / "none/run.h5"), HasSubstr("does not exist; make it first"));
  EXPECT_THAT(create(folder / "file/run.h5"), HasSubstr("is not a folder"));
}

/// Runs `action` in a child process; true when it returned true there.
template <class Action>
bool in_child(Action&& action) {
  const auto child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = action();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(RunFile, UnwritableFolderIsNamed) {
  const Folder folder;
  ::chmod(folder.path().c_str(), 0555);
  // The superuser may write anywhere: try as somebody else.
  EXPECT_TRUE(in_child([&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return false;
    const auto text = message_of<InputOutputError>(
        [&] { RunFile::create(serial, folder / "run.h5", provenance_of(""), layout_of(2)); });
    return text.find("Permission denied") != std::string::npos && text.find("run.h5") != std::string::npos;
  }));
  ::chmod(folder.path().c_str(), 0755);
}

TEST(RunFile, FullDiskIsAnInputOutputError) {
  const Folder folder;
  const auto start_with_limit = [&](rlim_t bytes) {
    // A limit on the file size fails as a full disk does: in the middle of a write.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return std::string("no limit");
    try {
      RunFile::create(serial, folder / "run.h5", provenance_of(""), layout_of(100000)).finish();
    } catch (const InputOutputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_TRUE(in_child([&] {
    const auto message = start_with_limit(500000);
    return message.find("File too large") != std::string::npos && message.find("run.h5") != std::string::npos;
  }));
  EXPECT_FALSE(std::filesystem::exists(folder / "run.h5"));
  EXPECT_TRUE(in_child([&] { return start_with_limit(50000000).empty(); }));
}

TEST(RunFile, KilledRunLeavesAFileThatOpensWithItsRows) {
  const Folder folder;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const auto child = ::fork();
  if (child == 0) {
    auto run = RunFile::create(serial, folder / "run.h5", provenance_of(""), layout_of(200000));
    for (std::uint64_t t = 0; t < 200000; ++t) {
      write_time(run, t, static_cast<double>(t));
      if (t == 300 && ::write(pipe[1], "x", 1) != 1) ::_exit(1);
    }
    ::pause();
  }
  char sign = 0;
  ASSERT_EQ(::read(pipe[0], &sign, 1), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto run = RunFile::resume(serial, folder / "run.h5");
  const auto latent = run.file().read_all<double>("/trajectory/latent");
  for (std::size_t t = 0; t <= 300; ++t) ASSERT_EQ(latent[2 * t + 1], -static_cast<double>(t));
  EXPECT_TRUE(std::isnan(latent.back())) << "the child was not killed in the middle";
  run.finish();
  EXPECT_EQ(status_of(folder / "run.h5"), "complete");
}

}  // namespace
}  // namespace rankflow::io
