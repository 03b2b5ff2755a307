#pragma once
#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "config/simulate_options.hpp"

namespace rankflow::config {

/// Words of `text`: the axes that an array of a recording has in its file, in their order; checked by require_axes().
inline std::vector<std::string> axis_names(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> names;
  for (std::string word; words >> word;) names.push_back(word);
  return names;
}

/// The arrays that make up a recording, wherever they are.
struct RecordingArrays {
  ArraySource observations;  ///< in the order of `axes`
  std::string axes = "trial time channel";
  ArraySource inputs;  ///< in the order of `input_axes`
  std::string input_axes = "trial time input";
  ArraySource mask;     ///< [trial, time] or [time]: 1 where observed
  ArraySource n_steps;  ///< [trial]: samples observed, instead of mask

  template <class V>
  void describe(V& v) {
    v.array("observations", observations, {.doc = "the array of observations"});
    v.text("axes", axes,
           {.doc = "order of the axes of observations in the file: the words trial, time, channel; without trial "
                   "for the array of a single trial"});
    v.array("inputs", inputs, {.doc = "known inputs at the same times"});
    v.text("input_axes", input_axes, {.doc = "order of the axes of inputs: the words trial, time, input"});
    v.array("mask", mask, {.doc = "[trial, time] (or [time] of a single trial): 1 where observed, else 0"});
    v.array("n_steps", n_steps, {.doc = "[trial]: observed samples of each trial, instead of mask"});
  }

  void validate(const Checker& check) const {
    require_axes(check, "axes", axes, "channel");
    require_axes(check, "input_axes", input_axes, "input");
    if (mask.given && n_steps.given) check.fail("n_steps", "give either mask or n_steps, not both");
  }

 private:
  static void require_axes(const Checker& check, const char* key, const std::string& text, const std::string& last) {
    auto names = axis_names(text);
    std::sort(names.begin(), names.end());
    std::vector<std::string> all{"trial", "time", last};
    std::sort(all.begin(), all.end());
    std::vector<std::string> single{"time", last};
    std::sort(single.begin(), single.end());
    if (names != all && names != single)
      check.fail(key, "must name each of trial, time and {} once, trial only if the array has that axis; found \"{}\"",
                 last, text);
  }
};

/// Everything of [recording] in `rankflow import recording`.
struct ImportedRecordingOptions {
  ObservationKind kind = ObservationKind::gaussian;
  double bin_width = 0;  ///< s
  RecordingArrays arrays;

  template <class V>
  void describe(V& v) {
    v.choice("kind", kind,
             {{"gaussian", ObservationKind::gaussian, "real values"},
              {"poisson", ObservationKind::poisson, "counts per bin: 0, 1, 2, …"}},
             {.doc = "what the observations are"});
    v.real("bin_width", bin_width,
           {.doc = "time between samples, or length of a bin of counts", .unit = "s", .above = 0.0, .required = true});
    v.group(arrays);
  }

  void validate(const Checker& check) const {
    if (!arrays.observations.given) check.fail("observations", "is missing; give the array of observations");
  }
};

/// Everything `rankflow import recording` reads.
struct ImportRecordingOptions {
  ImportedRecordingOptions recording;

  template <class V>
  void describe(V& v) {
    v.table("recording", recording, "where the parts of the recording are");
  }
};

}  // namespace rankflow::config
