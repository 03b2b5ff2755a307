#pragma once
#include <cstdint>
#include <string>

#include "sweep/halving.hpp"
#include "sweep/plan.hpp"
#include "sweep/shared_folder.hpp"

namespace rankflow::sweep {

/// The reports of all workers of a sweep in one order, stored as halving/000001, 000002, … of its directory: each is
/// created exclusively, so that all see the same order and decide the same.
class HalvingRecord {
 public:
  explicit HalvingRecord(const Plan& plan);

  /// Reads what others have reported since.
  void update();
  /// Stores the case's value at the rung that it has come to next. Throws InputOutputError.
  void report(const std::string& id, double value);

  bool may_run(const std::string& id) const { return halving_.may_run(id); }
  std::size_t rungs_of(const std::string& id) const { return halving_.rungs_of(id); }
  /// Epochs after which the case pauses next; 0: it runs to its end.
  std::int64_t pause_of(const std::string& id) const;

 private:
  bool read_next();

  const Plan& plan_;
  SharedFolder files_;
  Halving halving_;
  std::int64_t known_ = 0;  ///< reports read
};

}  // namespace rankflow::sweep
