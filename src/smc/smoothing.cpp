#include "smc/smoothing.hpp"

#include <algorithm>
#include <array>

#include "smc/lane_sum.hpp"
#include "smc/offspring_exchange.hpp"

namespace rankflow::smc {

namespace {

/// 1 / sum of squared weights of each trial.
class SampleSizes {
 public:
  explicit SampleSizes(const ParticleLayout& layout, const parallel::Communicator& comm) : squares_(layout, comm, 1) {}

  void measure(const double* weights) {
    std::array<double, L> square{};
    for (std::size_t i = 0; i < squares_.segments().size(); ++i) {
      const Segment& segment = squares_.segments()[i];
      const double* of_block = weights + segment.local_block * L;
      for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p)
        square[static_cast<std::size_t>(p)] = of_block[p] * of_block[p];
      squares_.part(i)[0] = lane_sum<double>(square.data(), {segment.first_lane, segment.end_lane()});
    }
    squares_.combine();
  }
  double of(std::int64_t trial) const { return 1 / squares_.sum(trial)[0]; }

 private:
  TrialSums squares_;
};

}  // namespace

template <class T>
SmoothedLatents smooth_by_genealogy(FilterHistory<T>& history) {
  const auto& layout = history.layout();
  OffspringExchange exchange(layout, history.comm(), 1);
  PosteriorMoments<T> moments(layout, history.comm(), history.rank(), history.times());
  SampleSizes sizes(layout, history.comm());
  SmoothedLatents result;
  const auto trials = moments.result().trials;
  const auto first = moments.result().first_trial;
  result.sample_size.resize(static_cast<std::size_t>(trials * history.times()));

  const auto lanes = static_cast<std::size_t>(layout.local_blocks() * L);
  const double* last = history.particles(history.times() - 1).weights;
  std::vector<double> weights(last, last + lanes), earlier(lanes);
  for (std::int64_t time = history.times() - 1;; --time) {
    auto particles = history.particles(time);
    particles.weights = weights.data();
    moments.add(particles);
    sizes.measure(weights.data());
    for (std::int64_t trial = 0; trial < trials; ++trial)
      result.sample_size[static_cast<std::size_t>(trial * history.times() + time)] = sizes.of(first + trial);
    if (time == 0) break;
    std::ranges::fill(earlier, 0.0);
    exchange.backward(history.genealogy(time - 1), weights.data(), 1, earlier.data(), 1);
    weights.swap(earlier);
  }
  result.moments = moments.result();
  return result;
}

template SmoothedLatents smooth_by_genealogy(FilterHistory<float>&);
template SmoothedLatents smooth_by_genealogy(FilterHistory<double>&);

}  // namespace rankflow::smc
