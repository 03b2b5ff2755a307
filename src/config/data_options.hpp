#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "config/import_options.hpp"

namespace rankflow::config {

inline void require_ascending(const Checker& check, const char* key, const std::vector<std::int64_t>& list) {
  if (!std::is_sorted(list.begin(), list.end()) || std::adjacent_find(list.begin(), list.end()) != list.end())
    check.fail(key, "must ascend, each number once");
}

enum class SmoothingWindow { none, hann15 };

/// What a fit or a filter is given: a recording, or the arrays that make up one.
struct DataOptions {
  std::string file;
  RecordingArrays arrays;
  double bin_width = 0;
  std::vector<std::int64_t> trials;
  std::vector<std::int64_t> channels;
  std::vector<std::int64_t> exclude_channels;
  SmoothingWindow unsmooth = SmoothingWindow::none;
  bool standardise = false;

  template <class V>
  void describe(V& v) {
    v.path("file", file, {.doc = "recording file; or give observations and what belongs to them"});
    v.group(arrays);
    v.real("bin_width", bin_width,
           {.doc = "time between samples of observations (a recording file has its own)", .unit = "s", .minimum = 0.0});
    v.integers("trials", trials, {.doc = "use these trials only (0-based, ascending); none: all", .minimum = 0});
    v.integers("channels", channels, {.doc = "use these channels only (0-based, ascending); none: all", .minimum = 0});
    v.integers("exclude_channels", exclude_channels,
               {.doc = "use all channels but these (0-based, ascending)", .minimum = 0});
    v.choice("unsmooth", unsmooth,
             {{"none", SmoothingWindow::none, "the observations are as they were recorded"},
              {"hann15", SmoothingWindow::hann15, "they were smoothed by a 15-point Hann window (of any scale)"}},
             {.doc = "smoothing over time that is undone first, because a model's noise is independent at each step"});
    v.flag("standardise", standardise,
           {.doc = "subtract each channel's mean and divide by its standard deviation, both over all trials used"});
  }

  void validate(const Checker& check) const {
    if (!file.empty() && arrays.observations.given)
      check.fail("file", "give either a recording file or observations, not both");
    if (arrays.observations.given && !(bin_width > 0))
      check.fail("bin_width", "must be above 0 beside observations, found {}: the time between samples in s",
                 bin_width);
    require_ascending(check, "trials", trials);
    require_ascending(check, "channels", channels);
    require_ascending(check, "exclude_channels", exclude_channels);
    if (!channels.empty() && !exclude_channels.empty())
      check.fail("exclude_channels", "give either channels or exclude_channels, not both");
  }
};

}  // namespace rankflow::config
