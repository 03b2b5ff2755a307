#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include <Eigen/Dense>

#include "core/error.hpp"
#include "smc/state_space.hpp"

namespace rankflow::smc::testing {

using DenseMatrix = Eigen::MatrixXd;

/// The linear-Gaussian model that a LatentModel with identity activation and Gaussian, affine observations is:
///   z(t+1) = A z(t) + offset(t) + L eps,   x(t) = C z(t) + c(t) + noise of variances V
struct LinearModel {
  DenseMatrix transition, noise, readout;  ///< A, L L^T, C
  std::vector<Vector> offsets, levels;     ///< offset(t), c(t)
  Vector variance, initial_mean;
  DenseMatrix initial_covariance;

  static bool describes(const LatentModel& model) {
    const auto& options = model.options();
    return options.network.activation == config::Activation::identity &&
           options.observation.kind == config::ObservationKind::gaussian &&
           options.observation.source != config::ReadoutSource::rates &&
           options.observation.link_or_default() == config::Link::identity;
  }

  /// inputs: v(t) [T, I] of one trial, or empty.
  LinearModel(const LatentModel& model, std::span<const double> parameters, std::int64_t times,
              std::span<const double> inputs = {}) {
    if (!describes(model)) throw InternalError("not a linear model");
    const StateSpace space(model, parameters);
    const auto rank = model.rank();
    const DenseMatrix m = space.step_weights.leftCols(rank);
    const DenseMatrix b = space.step_weights.rightCols(model.inputs());
    const DenseMatrix n = space.n;
    transition = space.decay * DenseMatrix::Identity(rank, rank) + n.transpose() * m;
    noise = space.transition_noise * space.transition_noise.transpose();
    initial_covariance = space.initial_noise * space.initial_noise.transpose();
    initial_mean = space.initial_mean;
    readout = space.readout.leftCols(rank);
    variance = space.variance;
    for (std::int64_t t = 0; t < times; ++t) {
      Vector v = Vector::Zero(model.inputs());
      for (std::int64_t i = 0; i < model.inputs(); ++i) v[i] = inputs[static_cast<std::size_t>(t * model.inputs() + i)];
      offsets.push_back(n.transpose() * (b * v + space.bias));
      levels.push_back(space.observation_bias + space.readout.rightCols(model.inputs()) * v);
    }
  }
};

/// Mean and covariance of a Gaussian.
struct Gaussian {
  Vector mean;
  DenseMatrix covariance;
};

/// Kalman filter and Rauch-Tung-Striebel smoother as in the textbooks (Särkkä 2013, theorems 4.2 and 8.2).
struct Kalman {
  std::vector<double> log_likelihood;                       ///< log p(x(t) | past)
  std::vector<Vector> predicted_mean, mean, smoothed_mean;  ///< of z(t) given x(0..t-1), x(0..t), all
  std::vector<DenseMatrix> predicted, covariance, smoothed;
  std::vector<DenseMatrix> lagged;  ///< cov(z(t), z(t+1)) given all

  /// observations [T, D], NaN where missing.
  Kalman(const LinearModel& model, std::span<const double> observations) {
    const auto times = static_cast<std::int64_t>(model.offsets.size());
    const auto channels = model.readout.rows();
    for (std::int64_t t = 0; t < times; ++t) {
      const auto at = static_cast<std::size_t>(t);
      predicted_mean.push_back(t == 0 ? model.initial_mean
                                      : Vector(model.transition * mean.back() + model.offsets[at - 1]));
      predicted.push_back(
          t == 0 ? model.initial_covariance
                 : DenseMatrix(model.transition * covariance.back() * model.transition.transpose() + model.noise));
      std::vector<Eigen::Index> seen;
      for (Eigen::Index d = 0; d < channels; ++d)
        if (!std::isnan(observations[at * static_cast<std::size_t>(channels) + static_cast<std::size_t>(d)]))
          seen.push_back(d);
      const DenseMatrix c = model.readout(seen, Eigen::all);
      Vector innovation(static_cast<Eigen::Index>(seen.size()));
      for (std::size_t i = 0; i < seen.size(); ++i)
        innovation[static_cast<Eigen::Index>(i)] =
            observations[at * static_cast<std::size_t>(channels) + static_cast<std::size_t>(seen[i])] -
            model.levels[at][seen[i]];
      innovation -= c * predicted_mean.back();
      const DenseMatrix noise = model.variance(seen).asDiagonal();
      update(c, noise, innovation);
    }
    smooth(model);
  }

  /// Of z(time + horizon) given x(0 .. time).
  Gaussian forecast(const LinearModel& model, std::int64_t time, std::int64_t horizon) const {
    auto at = static_cast<std::size_t>(time);
    Gaussian z{mean[at], covariance[at]};
    for (std::int64_t step = 0; step < horizon; ++step, ++at) {
      z.mean = (model.transition * z.mean + model.offsets[at]).eval();
      z.covariance = (model.transition * z.covariance * model.transition.transpose() + model.noise).eval();
    }
    return z;
  }

  double total() const {
    double sum = 0;
    for (const double value : log_likelihood) sum += value;
    return sum;
  }

 private:
  void update(const DenseMatrix& c, const DenseMatrix& noise, const Vector& innovation) {
    const DenseMatrix& prior = predicted.back();
    if (innovation.size() == 0) {
      mean.push_back(predicted_mean.back());
      covariance.push_back(prior);
      log_likelihood.push_back(0);
      return;
    }
    const DenseMatrix spread = c * prior * c.transpose() + noise;
    const DenseMatrix inverse = spread.inverse();
    const DenseMatrix gain = prior * c.transpose() * inverse;
    mean.push_back(predicted_mean.back() + gain * innovation);
    covariance.push_back(prior - gain * spread * gain.transpose());
    log_likelihood.push_back(
        -0.5 * (innovation.dot(inverse * innovation) + std::log((2 * std::numbers::pi * spread).determinant())));
  }

  void smooth(const LinearModel& model) {
    smoothed_mean = mean;
    smoothed = covariance;
    lagged.resize(mean.size() - 1);
    for (std::size_t t = mean.size() - 1; t-- > 0;) {
      const DenseMatrix gain = covariance[t] * model.transition.transpose() * predicted[t + 1].inverse();
      smoothed_mean[t] = mean[t] + gain * (smoothed_mean[t + 1] - predicted_mean[t + 1]);
      smoothed[t] = covariance[t] + gain * (smoothed[t + 1] - predicted[t + 1]) * gain.transpose();
      lagged[t] = gain * smoothed[t + 1];
    }
  }
};

}  // namespace rankflow::smc::testing
