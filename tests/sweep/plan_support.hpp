#pragma once
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "ledger_support.hpp"
#include "sweep/make_plan.hpp"

namespace rankflow::sweep {

/// Matches text that holds all the parts.
template <class... Parts>
auto mentions(const Parts&... parts) {
  return testing::AllOf(testing::HasSubstr(parts)...);
}

/// A folder with a base configuration of a fit, in which sweep files are tried.
class SweepFile : public testing::Test {
 protected:
  SweepFile() { write("base.toml", "[run]\nseed = 5\n[data]\nfile = \"eeg.h5\"\n[network]\nneurons = 64\nrank = 2\n"); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  /// The plan of a sweep file whose [sweep] begins with the base and goes on with `text`, from line 4 on.
  Planned planned(const std::string& text, const std::vector<std::string>& sets = {}) const {
    return plan_sweep(write("study.toml", "[sweep]\nbase = \"base.toml\"\ndriver = \"fit vsmc\"\n" + text), sets);
  }
  /// What is said of such a file; empty when nothing is wrong.
  std::string complaint(const std::string& text) const {
    try {
      planned(text);
    } catch (const ConfigurationError& error) {
      return error.report();
    }
    return {};
  }
  /// "network.rank=1 network.neurons=8" of each case, with its seed when asked for.
  static std::vector<std::string> cases(const Planned& planned, bool seeds = false) {
    std::vector<std::string> result;
    for (const auto& one : planned.plan.cases) {
      std::string text;
      for (const auto& [key, value] : one.varied) text += (text.empty() ? "" : " ") + key + "=" + value;
      result.push_back(seeds ? text + " seed=" + std::to_string(one.seed) : text);
    }
    return result;
  }
  static std::set<std::string> ids(const Planned& planned) {
    std::set<std::string> result;
    for (const auto& one : planned.plan.cases) result.insert(one.id);
    return result;
  }

  SweepFolder folder_;
};

}  // namespace rankflow::sweep
