#include "flow/shard_objective.hpp"

#include <algorithm>

#include "parallel/draws.hpp"

namespace rankflow::flow {
namespace {

std::vector<double> inverses(std::span<const double> values) {
  std::vector<double> result(values.size());
  std::ranges::transform(values, result.begin(), [](double value) { return 1 / value; });
  return result;
}

}  // namespace

template <class T>
ShardObjective<T>::ShardObjective(const Flow& flow, const Path& path, std::int64_t length, bool with_gradient)
    : flow_(flow),
      path_(path),
      pass_(flow.network, length, with_gradient),
      scale_inverse_(inverses(flow.scale)),
      condition_scale_inverse_(inverses(flow.condition_scale)),
      targets_(static_cast<std::size_t>(length * flow.network.variables())) {}

template <class T>
void ShardObjective<T>::draw(std::uint64_t seed, std::uint64_t step, std::int64_t begin, std::int64_t end) {
  const parallel::Stream base(seed, parallel::Purpose::flow_base, step);
  const parallel::Stream time(seed, parallel::Purpose::flow_time, step);
  const auto first = static_cast<std::uint64_t>(begin);
  const auto count = static_cast<std::size_t>(end - begin);
  const auto variables = static_cast<std::size_t>(flow_.network.variables());
  begin_ = begin;
  places_ = end - begin;
  noise_.resize(variables * count);
  times_.resize(count);
  for (std::size_t v = 0; v < variables; ++v)
    parallel::normal<float>(base, {.index = static_cast<std::uint32_t>(v)}, first,
                            std::span(noise_).subspan(v * count, count));
  parallel::uniform<float>(time, {}, first, times_);
}

template <class T>
void ShardObjective<T>::set_row(std::int64_t row, std::int64_t place, const TrainingSamples& samples,
                                std::int64_t sample) {
  const auto drawn = static_cast<std::size_t>(place - begin_);
  const auto time = static_cast<double>(times_[drawn]);
  const auto point = path_.at(time);
  const auto variables = static_cast<std::size_t>(flow_.network.variables());
  const auto conditions = static_cast<std::size_t>(flow_.network.conditions());
  const auto source = static_cast<std::size_t>(sample);
  T* const input = pass_.input(row);
  T* const target = targets_.data() + static_cast<std::size_t>(row) * variables;
  for (std::size_t v = 0; v < variables; ++v) {
    const double x1 = (samples.x[source * variables + v] - flow_.mean[v]) * scale_inverse_[v];
    const auto x0 = static_cast<double>(noise_[v * static_cast<std::size_t>(places_) + drawn]);
    input[v] = static_cast<T>(point.sample * x1 + point.noise * x0);
    target[v] = static_cast<T>(point.sample_velocity * x1 + point.noise_velocity * x0);
  }
  for (std::size_t c = 0; c < conditions; ++c)
    input[variables + c] = static_cast<T>((samples.conditions[source * conditions + c] - flow_.condition_mean[c]) *
                                          condition_scale_inverse_[c]);
  pass_.set_time(row, time);
}

template <class T>
double ShardObjective<T>::evaluate(const PackedWeights<T>& weights, const TrainingSamples& samples,
                                   std::span<const std::int64_t> chosen, std::int64_t first, std::int64_t count,
                                   double weight, std::span<T> gradient) {
  for (std::int64_t row = 0; row < count; ++row)
    set_row(row, first + row, samples, chosen[static_cast<std::size_t>(first + row)]);
  pass_.forward(weights, count);
  const std::int64_t variables = flow_.network.variables();
  double sum = 0;
  for (std::int64_t row = 0; row < count; ++row) {
    const T* const velocity = pass_.output(row);
    const T* const target = targets_.data() + row * variables;
    for (std::int64_t v = 0; v < variables; ++v) {
      const double error = static_cast<double>(velocity[v]) - static_cast<double>(target[v]);
      sum += error * error;
      if (!gradient.empty()) pass_.output_adjoint(row)[v] = static_cast<T>(2 * weight * error);
    }
  }
  if (!gradient.empty()) pass_.backward(weights, count, gradient);
  return weight * sum;
}

template class ShardObjective<float>;
template class ShardObjective<double>;

}  // namespace rankflow::flow
