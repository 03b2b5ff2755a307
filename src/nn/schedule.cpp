#include <algorithm>
#include <cmath>
#include <numbers>

#include "nn/optimiser.hpp"

namespace rankflow::nn {

double scheduled_learning_rate(const config::OptimiserOptions& options, std::int64_t step, std::int64_t total) {
  const double first = options.learning_rate;
  const double last = options.final_learning_rate;
  if (step < options.warmup_steps)
    return first * static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
  const auto falling = std::max<std::int64_t>(total - options.warmup_steps - 1, 1);
  const double progress =
      std::min(static_cast<double>(step - options.warmup_steps) / static_cast<double>(falling), 1.0);
  switch (options.schedule) {
    case config::Schedule::exponential:
      return first * std::pow(last / first, progress);
    case config::Schedule::cosine:
      return last + (first - last) * (1 + std::cos(std::numbers::pi * progress)) / 2;
    case config::Schedule::constant:
      break;
  }
  return first;
}

}  // namespace rankflow::nn
