#pragma once
#include <cstdint>
#include <vector>

#include <Eigen/Core>

namespace rankflow::connectivity {

/// Columns of `a` in the order of column-pivoted Gram-Schmidt: each time the one that is farthest from the span of
/// those before, until what is left of all columns together has a sum of squares of `stop` or less, or `maximum` are
/// chosen.
std::vector<std::int64_t> pivoted_columns(Eigen::MatrixXd a, double stop, std::int64_t maximum);

}  // namespace rankflow::connectivity
