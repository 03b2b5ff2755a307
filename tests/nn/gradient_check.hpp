#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "ad/tape.hpp"

/// Adjoints of any operation on the tape against differences of its values.
namespace rankflow::nn::testing {

/// An operand of the operation under test.
struct Operand {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> values;
  bool differentiated = true;
};

/// Normal numbers times `scale`, plus `shift`.
inline Operand random_operand(std::int64_t rows, std::int64_t columns, unsigned seed, double scale = 1.0,
                              double shift = 0.0) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(shift, scale);
  Operand operand{rows, columns, std::vector<double>(static_cast<std::size_t>(rows * columns))};
  for (auto& value : operand.values) value = normal(generator);
  return operand;
}

inline Operand constant(Operand operand) {
  operand.differentiated = false;
  return operand;
}

/// Operands in precision T in memory of their own; adjoints begin at `initial_adjoint`, since operations must add.
template <class T>
struct Operands {
  static constexpr T initial_adjoint = T(0.25);
  std::vector<std::vector<T>> values;
  std::vector<std::vector<T>> adjoints;
  std::vector<ad::Array<T>> arrays;

  explicit Operands(const std::vector<Operand>& operands) {
    for (const auto& operand : operands) {
      values.emplace_back(operand.values.begin(), operand.values.end());
      adjoints.emplace_back(operand.values.size(), initial_adjoint);
    }
    for (std::size_t k = 0; k < operands.size(); ++k)
      arrays.push_back({values[k].data(), operands[k].differentiated ? adjoints[k].data() : nullptr, operands[k].rows,
                        operands[k].columns});
  }
};

/// Values of operation(tape, arrays) in precision T.
template <class T, class Operation>
std::vector<T> values_of(const std::vector<Operand>& operands, const Operation& operation) {
  Operands<T> own(operands);
  ad::Tape tape;
  tape.set_recording(false);
  const auto result = operation(tape, own.arrays).values();
  return {result.begin(), result.end()};
}

/// Fixed weights that make one number of a result.
inline double weight(std::size_t k) {
  return std::sin(1.7 * static_cast<double>(k) + 0.4);
}

template <class Values>
double weighted_sum(const Values& values) {
  double sum = 0;
  for (std::size_t k = 0; k < values.size(); ++k) sum += weight(k) * static_cast<double>(values[k]);
  return sum;
}

/// Adjoints of all operands for the weighted sum of the result.
template <class T, class Operation>
std::vector<std::vector<T>> adjoints_of(const std::vector<Operand>& operands, const Operation& operation) {
  Operands<T> own(operands);
  ad::Tape tape;
  const auto result = operation(tape, own.arrays);
  for (std::size_t k = 0; k < result.values().size(); ++k) result.adjoint[k] += static_cast<T>(weight(k));
  tape.backward();
  for (auto& adjoint : own.adjoints)
    for (auto& value : adjoint) value -= Operands<T>::initial_adjoint;
  return own.adjoints;
}

/// Largest difference between adjoints and fourth-order central differences of step h, relative to the largest
/// derivative of the operand. In double precision with derivatives of order 1 it is about h^4 + 1e-16 / h: 1e-12 for
/// h = 1e-3; wrong adjoints are wrong by about 1.
template <class Operation>
double adjoint_error(std::vector<Operand> operands, const Operation& operation, double h = 1e-3) {
  const auto adjoints = adjoints_of<double>(operands, operation);
  const auto objective = [&] { return weighted_sum(values_of<double>(operands, operation)); };
  double worst = 0;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (!operands[k].differentiated) continue;
    double error = 0;
    double scale = 0;
    for (std::size_t i = 0; i < operands[k].values.size(); ++i) {
      auto& value = operands[k].values[i];
      const double kept = value;
      const auto at = [&](double shift) {
        value = kept + shift;
        return objective();
      };
      const double slope = std::isnan(kept) ? 0.0 : (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      value = kept;
      error = std::max(error, std::abs(slope - adjoints[k][i]));
      if (std::isnan(slope - adjoints[k][i])) return std::nan("");
      scale = std::max(scale, std::abs(slope));
    }
    if (scale == 0) return std::nan("");  // an operand without effect tests nothing
    worst = std::max(worst, error / scale);
  }
  return worst;
}

/// Largest difference of values and adjoints between single and double precision, relative to the largest number of
/// each array.
template <class Operation>
double single_precision_error(const std::vector<Operand>& operands, const Operation& operation) {
  // Both start from numbers that single precision holds.
  auto rounded = operands;
  for (auto& operand : rounded)
    for (auto& value : operand.values) value = static_cast<double>(static_cast<float>(value));
  auto single = adjoints_of<float>(rounded, operation);
  auto exact = adjoints_of<double>(rounded, operation);
  single.push_back(values_of<float>(rounded, operation));
  exact.push_back(values_of<double>(rounded, operation));
  double worst = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    double error = 0;
    double scale = 1e-30;
    for (std::size_t i = 0; i < exact[k].size(); ++i) {
      error = std::max(error, std::abs(static_cast<double>(single[k][i]) - exact[k][i]));
      scale = std::max(scale, std::abs(exact[k][i]));
    }
    worst = std::max(worst, error / scale);
  }
  return worst;
}

}  // namespace rankflow::nn::testing
