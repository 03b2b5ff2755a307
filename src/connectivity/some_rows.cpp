#include "connectivity/some_rows.hpp"

namespace rankflow::connectivity {

SomeRows some_rows(const VisitedStates& states, const FeatureBasis& basis, std::int64_t count) {
  SomeRows some{.states = {.rows = count, .rank = states.rank, .inputs = states.inputs}, .reduction = {}};
  Eigen::MatrixXd functions(count, basis.functions());
  for (std::int64_t k = 0; k < count; ++k) {
    const auto place = (2 * k + 1) * states.rows / (2 * count);
    const auto row = rows_of(states, place, 1);
    some.states.z.insert(some.states.z.end(), row.z, row.z + states.rank);
    some.states.v.insert(some.states.v.end(), row.v, row.v + states.inputs);
    functions.row(k) = basis.values().row(place);
  }
  some.reduction = (functions * basis.interpolation()).transpose();
  return some;
}

}  // namespace rankflow::connectivity
