#include "smc/state_space.hpp"

#include <cmath>

#include "core/error.hpp"

namespace rankflow::smc {

using config::ReadoutSource;

namespace {

using ConstMatrixMap = Eigen::Map<const Matrix>;
using ConstVectorMap = Eigen::Map<const Vector>;

/// Names a parameter where it is used, as matrix or vector.
class Reader {
 public:
  Reader(const LatentModel& model, std::span<const double> flat) : layout_(model.layout()), flat_(flat) {}
  std::span<const double> part(LatentModel::Id id) const { return layout_.part(flat_, id); }
  ConstVectorMap vector(LatentModel::Id id) const {
    const auto values = part(id);
    return {values.data(), static_cast<Eigen::Index>(values.size())};
  }
  ConstMatrixMap matrix(LatentModel::Id id) const {
    const auto& shape = layout_.shape(id);
    return {part(id).data(), shape[0], shape[1]};
  }

 private:
  const nn::ParameterLayout& layout_;
  std::span<const double> flat_;
};

/// The flat adjoint, part by part.
class Adder {
 public:
  Adder(const LatentModel& model, std::span<double> flat) : layout_(model.layout()), flat_(flat) {}
  Eigen::Map<Vector> vector(LatentModel::Id id) const {
    const auto values = layout_.part(flat_, id);
    return {values.data(), static_cast<Eigen::Index>(values.size())};
  }
  Eigen::Map<Matrix> matrix(LatentModel::Id id) const {
    const auto& shape = layout_.shape(id);
    return {layout_.part(flat_, id).data(), shape[0], shape[1]};
  }

 private:
  const nn::ParameterLayout& layout_;
  std::span<double> flat_;
};

Matrix noise_factor(std::span<const double> part, std::int64_t rank) {
  if (part.size() == static_cast<std::size_t>(rank))
    return (0.5 * ConstVectorMap(part.data(), rank).array()).exp().matrix().asDiagonal();
  Matrix factor = ConstMatrixMap(part.data(), rank, rank).triangularView<Eigen::StrictlyLower>();
  factor.diagonal() = (0.5 * ConstMatrixMap(part.data(), rank, rank).diagonal().array()).exp();
  return factor;
}

void add_noise_adjoint(const Matrix& factor, const Matrix& adjoint, Eigen::Map<Vector> part) {
  const auto rank = factor.rows();
  const Vector diagonal = 0.5 * adjoint.diagonal().cwiseProduct(factor.diagonal());
  if (part.size() == rank) {
    part += diagonal;
    return;
  }
  Eigen::Map<Matrix> square(part.data(), rank, rank);
  square.triangularView<Eigen::StrictlyLower>() += adjoint;
  square.diagonal() += diagonal;
}

void check_finite(const LatentModel& model, std::span<const double> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!std::isfinite(parameters[i]))
      throw NumericalError("parameter {} is {}", model.layout().describe(static_cast<std::int64_t>(i)), parameters[i]);
  }
}

}  // namespace

StateSpace::StateSpace(const LatentModel& model, std::span<const double> parameters) {
  check_finite(model, parameters);
  const Reader read(model, parameters);
  const std::int64_t rank = model.rank();
  const std::int64_t inputs = model.inputs();
  decay = std::exp(-std::exp(read.part(model.decay)[0]));
  step_weights.resize(model.neurons(), model.states());
  step_weights.leftCols(rank) = read.matrix(model.m);
  if (model.input_weights) step_weights.rightCols(inputs) = read.matrix(*model.input_weights);
  n = read.matrix(model.n);
  bias = read.vector(model.bias);
  initial_mean = model.initial_mean ? Vector(read.vector(*model.initial_mean)) : Vector(Vector::Zero(rank));
  initial_noise = noise_factor(read.part(model.initial_noise), rank);
  transition_noise = noise_factor(read.part(model.transition_noise), rank);
  observation_bias = read.vector(model.observation_bias);
  if (model.observation_log_variance) variance = read.vector(*model.observation_log_variance).array().exp();

  const std::int64_t channels = model.channels();
  switch (model.options().observation.source) {
    case ReadoutSource::latent:
      readout = Matrix::Zero(channels, model.states());
      readout.leftCols(rank) = read.matrix(model.observation_weights);
      if (model.observation_inputs) readout.rightCols(inputs) = read.matrix(*model.observation_inputs);
      break;
    case ReadoutSource::currents:
      scale = read.vector(model.observation_weights);
      readout = scale.asDiagonal() * step_weights.topRows(channels);
      break;
    case ReadoutSource::rates:
      readout = step_weights.topRows(channels);
      scale = read.vector(model.observation_weights);
      break;
  }
}

StateSpaceAdjoint::StateSpaceAdjoint(const LatentModel& model) {
  step_weights.resize(model.neurons(), model.states());
  n.resize(model.neurons(), model.rank());
  bias.resize(model.neurons());
  initial_mean.resize(model.rank());
  initial_noise.resize(model.rank(), model.rank());
  transition_noise.resize(model.rank(), model.rank());
  readout.resize(model.channels(), model.states());
  if (model.options().observation.source != ReadoutSource::latent) scale.resize(model.channels());
  observation_bias.resize(model.channels());
  if (model.observation_log_variance) variance.resize(model.channels());
  clear();
}

void StateSpaceAdjoint::clear() {
  decay = 0;
  for (Matrix* matrix : {&step_weights, &n, &initial_noise, &transition_noise, &readout}) matrix->setZero();
  for (Vector* vector : {&bias, &initial_mean, &scale, &observation_bias, &variance}) vector->setZero();
}

void StateSpaceAdjoint::add_to(const LatentModel& model, const StateSpace& values, std::span<double> parameters) const {
  const Adder add(model, parameters);
  const std::int64_t rank = model.rank();
  const std::int64_t inputs = model.inputs();
  const std::int64_t channels = model.channels();
  Matrix weights = step_weights;
  switch (model.options().observation.source) {
    case ReadoutSource::latent:
      add.matrix(model.observation_weights) += readout.leftCols(rank);
      if (model.observation_inputs) add.matrix(*model.observation_inputs) += readout.rightCols(inputs);
      break;
    case ReadoutSource::currents: {
      const auto observed = values.step_weights.topRows(channels);
      add.vector(model.observation_weights) += readout.cwiseProduct(observed).rowwise().sum();
      weights.topRows(channels) += values.scale.asDiagonal() * readout;
      break;
    }
    case ReadoutSource::rates:
      weights.topRows(channels) += readout;
      add.vector(model.observation_weights) += scale;
      break;
  }
  // a = exp(-exp(p)): da/dp = a log a, 0 where a has vanished.
  if (values.decay > 0) add.vector(model.decay)[0] += decay * values.decay * std::log(values.decay);
  if (model.layout().is_trainable(model.m)) add.matrix(model.m) += weights.leftCols(rank);
  if (model.input_weights) add.matrix(*model.input_weights) += weights.rightCols(inputs);
  add.matrix(model.n) += n;
  add.vector(model.bias) += bias;
  if (model.initial_mean) add.vector(*model.initial_mean) += initial_mean;
  add_noise_adjoint(values.initial_noise, initial_noise, add.vector(model.initial_noise));
  add_noise_adjoint(values.transition_noise, transition_noise, add.vector(model.transition_noise));
  add.vector(model.observation_bias) += observation_bias;
  if (model.observation_log_variance)
    add.vector(*model.observation_log_variance) += variance.cwiseProduct(values.variance);
}

void network_inputs(config::InputPath path, double decay, std::int64_t inputs, std::span<const double> u,
                    std::span<double> v) {
  if (path == config::InputPath::raw) {
    std::copy(u.begin(), u.end(), v.begin());
    return;
  }
  const auto channels = static_cast<std::size_t>(inputs);
  std::fill_n(v.begin(), channels, 0.0);
  for (std::size_t i = channels; i < v.size(); ++i) v[i] = decay * v[i - channels] + (1 - decay) * u[i - channels];
}

double network_inputs_adjoint(config::InputPath path, double decay, std::int64_t inputs, std::span<const double> u,
                              std::span<const double> v, std::span<double> v_adjoint) {
  if (path == config::InputPath::raw) return 0;
  const auto channels = static_cast<std::size_t>(inputs);
  double result = 0;
  for (std::size_t i = v.size(); i-- > channels;) {
    result += v_adjoint[i] * (v[i - channels] - u[i - channels]);
    v_adjoint[i - channels] += decay * v_adjoint[i];
  }
  return result;
}

}  // namespace rankflow::smc
