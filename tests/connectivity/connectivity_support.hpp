#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <Eigen/Core>
#include <Eigen/LU>

#include "connectivity/loadings.hpp"
#include "connectivity/visited_states.hpp"
#include "parallel/communicator.hpp"
#include "parallel/draws.hpp"

namespace rankflow::connectivity::testing {

inline std::vector<double> normals(std::uint64_t seed, std::int64_t count) {
  std::vector<double> numbers(static_cast<std::size_t>(count));
  parallel::normal(parallel::Stream(seed, parallel::Purpose::test), {}, 0, std::span<double>(numbers));
  return numbers;
}

struct Shape {
  std::int64_t neurons = 0;
  int rank = 2;
  int inputs = 0;
  bool has_bias = false;
  model::Activation activation = model::Activation::tanh;
};

/// Standard normal m, b and d; this rank's neurons.
inline Loadings random_loadings(const Shape& shape, std::uint64_t seed,
                                const parallel::Communicator& comm = parallel::Communicator()) {
  const parallel::Partition partition(shape.neurons, comm.size(), comm.rank());
  const std::int64_t variables = shape.rank + shape.inputs + (shape.has_bias ? 1 : 0);
  const auto rows = normals(seed, shape.neurons * variables);
  return loadings_from_rows(partition, shape.activation, shape.rank, shape.inputs, shape.has_bias,
                            std::span(rows).subspan(static_cast<std::size_t>(partition.begin() * variables),
                                                    static_cast<std::size_t>(partition.count() * variables)));
}

/// Standard normal z and v, with the drive y = drive(z, v, component).
using Drive = std::function<double(const double* z, const double* v, int component)>;
inline VisitedStates random_states(std::int64_t rows, const Shape& shape, std::uint64_t seed, const Drive& drive) {
  VisitedStates states{.rows = rows, .rank = shape.rank, .inputs = shape.inputs, .alpha = 0.1};
  const auto numbers = normals(seed, rows * (shape.rank + shape.inputs));
  for (std::int64_t t = 0; t < rows; ++t) {
    const double* const z = numbers.data() + t * (shape.rank + shape.inputs);
    const double* const v = z + shape.rank;
    states.z.insert(states.z.end(), z, v);
    states.v.insert(states.v.end(), v, v + shape.inputs);
    for (int r = 0; r < shape.rank; ++r) states.y.push_back(drive(z, v, r));
  }
  return states;
}

/// Smooth, and outside the span of the tests' features.
inline double smooth_drive(const double* z, const double*, int component) {
  return std::sin(z[component]) + 0.5 * std::tanh(z[0] * z[1]);
}

inline Eigen::MatrixXd matrix_of(const model::NeuronArray<double>& n, const parallel::Partition& partition) {
  Eigen::MatrixXd all(partition.count(), n.columns());
  for (std::int64_t i = 0; i < partition.count(); ++i)
    for (int r = 0; r < n.columns(); ++r) all(i, r) = n.at(i, r);
  return all;
}

inline double relative_difference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return (a - b).norm() / b.norm();
}

/// The formulas as they stand, with the standard library's functions, one neuron after the other.
struct Oracle {
  Eigen::MatrixXd features;  ///< [T, N]
  Eigen::MatrixXd y;         ///< [T, R]

  double rows() const { return static_cast<double>(features.rows()); }
  double neurons() const { return static_cast<double>(features.cols()); }
  /// (Phi^T Phi / N + lambda T)^-1 Phi^T y.
  Eigen::MatrixXd n(double penalty) const {
    Eigen::MatrixXd system = features.transpose() * features / neurons();
    system.diagonal().array() += penalty * rows();
    return system.partialPivLu().solve(features.transpose() * y);
  }
};

inline Oracle oracle_of(const VisitedStates& states, const Loadings& loadings, double (*phi)(double)) {
  Oracle oracle{.features = Eigen::MatrixXd(states.rows, loadings.neurons()),
                .y = Eigen::MatrixXd(states.rows, states.rank)};
  for (std::int64_t t = 0; t < states.rows; ++t) {
    for (int r = 0; r < states.rank; ++r) oracle.y(t, r) = states.y[static_cast<std::size_t>(t * states.rank + r)];
    for (std::int64_t i = 0; i < loadings.neurons(); ++i) {
      double x = loadings.bias.columns() > 0 ? loadings.bias.at(i, 0) : 0.0;
      for (int r = 0; r < states.rank; ++r)
        x += loadings.m.at(i, r) * states.z[static_cast<std::size_t>(t * states.rank + r)];
      for (int k = 0; k < states.inputs; ++k)
        x += loadings.b.at(i, k) * states.v[static_cast<std::size_t>(t * states.inputs + k)];
      oracle.features(t, i) = phi(x);
    }
  }
  return oracle;
}

}  // namespace rankflow::connectivity::testing
