#pragma once
#include <string>
#include <vector>

#include "analysis/correlations.hpp"
#include "analysis/evaluation.hpp"

namespace rankflow::analysis {

/// What a number is called and counted in.
struct Label {
  std::string name;
  std::string unit;
  std::string text;
};

/// Gathers the numbers of one series after the other into an Evaluation. Every series adds the same labels in the same
/// order.
class Collector {
 public:
  explicit Collector(Evaluation& evaluation) : evaluation_(evaluation) {}

  /// From here on, the numbers of the next series.
  void next_series() {
    ++series_;
    statistic_ = 0;
    profile_ = 0;
  }
  void number(const Label& label, double value);
  /// `generated` enters the mean over series.
  void profile(const Profile& profile);

  /// The profile of a quantity of each channel.
  void channels(const Label& label, const std::vector<double>& data, const std::vector<double>& generated);
  /// The same, and how both agree: adds <name>_correlation and <name>_error, the root mean squared difference relative
  /// to the root mean square of the data's.
  void compared_channels(const Label& label, const std::vector<double>& data, const std::vector<double>& generated);

 private:
  Evaluation& evaluation_;
  std::size_t series_ = 0, statistic_ = 0, profile_ = 0;
};

}  // namespace rankflow::analysis
