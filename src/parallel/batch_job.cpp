#include "parallel/batch_job.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace rankflow::parallel {

std::optional<double> seconds_left_in_job() {
  const char* variable = std::getenv("SLURM_JOB_END_TIME");
  if (variable == nullptr) return std::nullopt;
  const std::string_view text(variable);
  std::int64_t end = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), end);
  if (error != std::errc{} || stop != text.data() + text.size() || end <= 0) return std::nullopt;
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(end) - now.count();
}

std::optional<double> work_seconds_left_in_job() {
  const auto left = seconds_left_in_job();
  if (!left) return left;
  constexpr double longest_margin = 60;
  return *left - std::clamp(*left / 10, 0.0, longest_margin);
}

}  // namespace rankflow::parallel
