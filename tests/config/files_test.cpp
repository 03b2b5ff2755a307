#include <unistd.h>

#include <fstream>

#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

std::string failure_of(const std::string& path) {
  try {
    load<Root>(path, {});
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigurationError for " << path;
  return {};
}

class Files : public testing::Test {
 public:
  Files() { std::filesystem::create_directories(folder_ / "sub"); }
  ~Files() override { std::filesystem::remove_all(folder_); }

 protected:
  const std::filesystem::path& folder() const { return folder_; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

 private:
  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("rankflow_config_" + std::to_string(::getpid()));
};

TEST_F(Files, AreReadWithPathsFromTheirFolder) {
  const auto path = write("net.toml", "[network]\nneurons = 7\nfile = 'sub/../a.h5'\nm = 'w.npz:m'");
  const auto loaded = load<Root>(path, {"time.trials=2"});
  EXPECT_EQ(loaded.options.network.neurons, 7);
  EXPECT_EQ(loaded.options.time.trials, 2);
  EXPECT_EQ(loaded.options.network.file, (folder() / "a.h5").string());
  EXPECT_EQ(loaded.options.network.m.path, (folder() / "w.npz").string());
  EXPECT_EQ(loaded.source, path);
  EXPECT_EQ(loaded.where.at("network.neurons"), path + ":2");
}

TEST_F(Files, ThatAreMissingOrDirectoriesAreNamed) {
  const auto missing = (folder() / "none.toml").string();
  EXPECT_THAT(failure_of(missing), mentions("no configuration file '" + missing + "'"));
  EXPECT_THAT(failure_of((folder() / "sub").string()), mentions("sub' is a directory", "give the path of a TOML file"));
  EXPECT_THAT(failure_of(""), mentions("no configuration file ''"));
}

TEST_F(Files, WithBadSyntaxAreNamedWithLineAndColumn) {
  const auto path = write("bad.toml", "[network]\nneurons = = 3\n");
  EXPECT_THAT(failure_of(path), mentions(path + ":2:11: not valid TOML: "));
  EXPECT_THAT(complaint("[time]\nstep = 1\nstep = 2"), mentions("net.toml:3:", "not valid TOML", "step"));
  EXPECT_THAT(complaint("[time]\nlabel = \"open"), mentions("net.toml:2:", "not valid TOML"));
  EXPECT_THAT(complaint("network.neurons = 99999999999999999999"), mentions("net.toml:1:", "not valid TOML"));
}

}  // namespace
}  // namespace rankflow::config::sample
