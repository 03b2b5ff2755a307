#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace rankflow::sweep {

/// What a case was worth when it had come to a rung.
struct RungReport {
  std::string id;
  std::size_t rung = 0;
  double value = 0;  ///< of the metric; NaN is worse than everything
};

/// Asynchronous successive halving (Li et al. 2020, "A system for massively parallel hyperparameter tuning"): all cases
/// are trained to the first rung; whenever a rung has enough reports the best of each `reduction` go on to the next
/// one. Nobody waits for a rung to fill. Who goes on is a function of the reports in their order and of nothing else.
class Halving {
 public:
  /// `rungs`: how many rungs there are at which cases pause; the end of the training is not one of them.
  Halving(std::size_t rungs, std::int64_t reduction, bool maximise);

  /// Takes the next report. A second one of the same case at the same rung is ignored.
  void report(const RungReport& report);
  /// When no report can come any more: lets the best of the highest rung go on unless some case went on from there, so
  /// that one at least is trained to its end. False when that changes nothing.
  bool promote_leader();
  /// Rungs that the case has reported at: how far it has come.
  std::size_t rungs_of(const std::string& id) const;
  /// Whether the case may run on from where it is; true before its first rung.
  bool may_run(const std::string& id) const;

 private:
  struct Rung {
    std::vector<RungReport> best_first;
    std::set<std::string> promoted;
  };
  bool is_better(double a, double b) const;

  std::vector<Rung> rungs_;
  std::int64_t reduction_;
  bool maximise_;
  std::map<std::string, std::size_t> reached_;
};

}  // namespace rankflow::sweep
