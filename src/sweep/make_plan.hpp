#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// A plan with what there is to say of its making.
struct Planned {
  Plan plan;
  std::size_t settings = 0;  ///< cases but for their seeds
  std::size_t excluded = 0;  ///< settings left out by constraints
  std::vector<std::string> notes;
};

/// Every case of a sweep file, its configuration checked as the driver itself would. `sets`: "sweep.key=value" each;
/// `directory`: instead of the file's own. Writes nothing; no MPI. Throws ConfigurationError, also when two cases are
/// one and the same run, or the cases do not have the metric.
Planned plan_sweep(const std::filesystem::path& sweep_file, const std::vector<std::string>& sets,
                   const std::filesystem::path& directory = {});
/// The plan alone.
Plan make_plan(const std::filesystem::path& sweep_file, const std::vector<std::string>& sets,
               const std::filesystem::path& directory = {});

}  // namespace rankflow::sweep
