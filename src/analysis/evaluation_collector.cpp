#include "analysis/evaluation_collector.hpp"

namespace rankflow::analysis {

void Collector::number(const Label& label, double value) {
  auto& statistics = evaluation_.statistics;
  if (series_ == 1) statistics.push_back({label.name, label.unit, label.text, {}});
  statistics.at(statistic_++).values.push_back(value);
}

void Collector::profile(const Profile& profile) {
  auto& profiles = evaluation_.profiles;
  if (series_ == 1) {
    profiles.push_back(profile);
  } else {
    auto& mean = profiles.at(profile_).generated;
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += (profile.generated[i] - mean[i]) / static_cast<double>(series_);
  }
  ++profile_;
}

void Collector::channels(const Label& label, const std::vector<double>& data, const std::vector<double>& generated) {
  profile({.name = label.name,
           .unit = label.unit,
           .text = label.text,
           .dimensions = {"channel"},
           .shape = {static_cast<std::int64_t>(data.size())},
           .data = data,
           .generated = generated});
}

void Collector::compared_channels(const Label& label, const std::vector<double>& data,
                                  const std::vector<double>& generated) {
  const auto found = agreement(data, generated);
  number({label.name + "_correlation", "1", label.text + ": correlation over channels"}, found.correlation);
  number({label.name + "_error", "1", label.text + ": relative error over channels"}, found.relative);
  channels(label, data, generated);
}

}  // namespace rankflow::analysis
