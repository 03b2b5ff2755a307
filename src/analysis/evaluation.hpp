#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/series.hpp"
#include "config/evaluate_options.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// One number that tells how near generated series come to data.
struct Statistic {
  std::string name;
  std::string unit;            ///< "1" for a pure number
  std::string text;            ///< what it is, in a few words
  std::vector<double> values;  ///< [series]; NaN where it does not exist
};

/// A quantity of data and generated series side by side, for plots.
struct Profile {
  std::string name;
  std::string unit;
  std::string text;
  std::vector<std::string> dimensions;  ///< "channel", "other_channel", "frequency"
  std::vector<std::int64_t> shape;
  std::vector<double> data;       ///< of this shape
  std::vector<double> generated;  ///< of this shape; mean over series
};

struct Evaluation {
  config::ObservationKind kind = config::ObservationKind::gaussian;
  std::int64_t series = 0;  ///< comparisons: generated trials, or 1 when they are pooled
  std::int64_t trials = 0;  ///< generated trials
  std::vector<Statistic> statistics = {};
  std::vector<Profile> profiles = {};
  std::vector<double> frequency = {};   ///< [frequency], Hz
  std::vector<std::string> notes = {};  ///< what the reader of the numbers has to know
};

/// What is compared. Both on every rank, with NaN where nothing was observed.
struct Comparison {
  Series data;
  Series generated;
  config::ObservationKind kind = config::ObservationKind::gaussian;
  double bin_width = 1;  ///< s
};

/// Compares as docs/evaluation.md defines. Real values: divergence of states, spectra, means, deviations, pairwise
/// correlations; counts: rates, inter-spike intervals, variability, correlations, spectra and the population's counts.
/// The same bits on any number of ranks. Collective.
/// Throws InputDataError when the numbers of channels differ, a channel of real values that are to be scaled does not
/// vary, counts are none or trials have one sample; ConfigurationError when evaluate.discard leaves fewer than 2 steps.
Evaluation evaluate(Comparison comparison, const config::EvaluateOptions& options, const parallel::Communicator& comm);

}  // namespace rankflow::analysis
