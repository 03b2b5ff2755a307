#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "flow/flow.hpp"
#include "flow/path.hpp"
#include "flow/training.hpp"
#include "flow/velocity_pass.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::flow {

/// The squared error of flow matching on shards of a minibatch. T is the precision of network and gradient.
template <class T>
class ShardObjective {
 public:
  /// For shards of up to `length` samples.
  ShardObjective(const Flow& flow, const Path& path, std::int64_t length, bool with_gradient);

  /// Draws noise and times of places [begin, end) of a minibatch of a step.
  void draw(std::uint64_t seed, std::uint64_t step, std::int64_t begin, std::int64_t end);
  /// Sum over places [first, first + count) of that range, whose samples are rows chosen[place], of the squared error
  /// of the velocity, times `weight`. Its gradient into `gradient` unless that is empty.
  double evaluate(const PackedWeights<T>& weights, const TrainingSamples& samples, std::span<const std::int64_t> chosen,
                  std::int64_t first, std::int64_t count, double weight, std::span<T> gradient);

 private:
  void set_row(std::int64_t row, std::int64_t place, const TrainingSamples& samples, std::int64_t sample);

  Flow flow_;
  Path path_;
  VelocityPass<T> pass_;
  std::vector<double> scale_inverse_, condition_scale_inverse_;
  std::int64_t begin_ = 0;
  std::int64_t places_ = 0;
  std::vector<float> noise_;  ///< [V, places]
  std::vector<float> times_;  ///< [places]
  std::vector<T> targets_;    ///< [row, V]
};

}  // namespace rankflow::flow
