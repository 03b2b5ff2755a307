#include "sweep/progress.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/console.hpp"
#include "sweep/case_session.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/texts.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::size_t most_failures = 10;

std::string bar(const Progress& progress) {
  constexpr std::size_t width = 40;
  const auto over = progress.done + progress.halted + progress.failed;
  const auto filled = progress.cases > 0 ? over * width / progress.cases : width;
  return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "]";
}

std::string best_line(const Plan& plan, const std::vector<CaseResult>& results) {
  if (plan.metric.empty()) return {};
  const auto ranked = ranking(plan, results);
  if (ranked.empty()) return {};
  const auto& best = ranked.front();
  const auto spread = best.values > 1 ? fmt::format(" ± {:.2g}", best.spread) : std::string();
  return fmt::format("best so far: {} {:.6g}{} ({} of {} seeds) with {}\n", plan.metric, best.mean, spread, best.values,
                     best.cases, setting_of(plan.cases[best.first_case]));
}

std::string ranks_line(const Plan& plan) {
  const auto measured = asks_for_measurement(plan) ? text_of_record(plan.directory) : std::nullopt;
  return measured ? fmt::format("ranks of a case: {}\n", *measured) : std::string();
}

}  // namespace

Progress progress_of(const std::vector<CaseResult>& results) {
  Progress progress{.cases = results.size()};
  double seconds = 0;
  for (const auto& result : results) {
    if (result.done()) {
      ++progress.done;
      seconds += result.outcome->seconds;
    } else if (result.outcome) {
      ++(result.outcome->status == Status::halted ? progress.halted : progress.failed);
    } else {
      ++(result.stage == Stage::running ? progress.running : progress.waiting);
    }
  }
  if (progress.done > 0 && progress.running > 0) {
    const auto mean = seconds / static_cast<double>(progress.done);
    // Cases that run are half done on average.
    const auto work = static_cast<double>(progress.waiting) + 0.5 * static_cast<double>(progress.running);
    progress.seconds_left = mean * work / static_cast<double>(progress.running);
  }
  return progress;
}

std::string failures_text(const Plan& plan, const std::vector<CaseResult>& results) {
  std::string text;
  std::size_t count = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].failed() || ++count > most_failures) continue;
    const auto& outcome = *results[i].outcome;
    text += fmt::format("  {} {} ({}): {}\n", plan.cases[i].id, name_of(outcome.status), description_of(plan.cases[i]),
                        outcome.message.substr(0, outcome.message.find('\n')));
  }
  if (count > most_failures) text += fmt::format("  … {} more\n", count - most_failures);
  return text;
}

std::string status_text(const Plan& plan, const std::vector<CaseResult>& results) {
  const auto progress = progress_of(results);
  auto text = fmt::format("{} {} of {} done, {} running, {} waiting, {} failed", bar(progress), progress.done,
                          progress.cases, progress.running, progress.waiting, progress.failed);
  if (progress.halted > 0) text += fmt::format(", {} ended early", progress.halted);
  if (progress.seconds_left >= 0) text += fmt::format("; about {} left", duration_text(progress.seconds_left));
  return text + "\n" + ranks_line(plan) + best_line(plan, results) + failures_text(plan, results);
}

}  // namespace rankflow::sweep
