#include "sweep/results.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace rankflow::sweep {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::string key_of_setting(const Case& one) {
  std::string text = one.driver;
  for (const auto& [key, value] : one.varied) text += fmt::format("\n{}={}", key, value);
  return text;
}

Ranked summary_of(const std::vector<std::size_t>& members, const std::vector<double>& metrics, bool maximise) {
  Ranked ranked{.first_case = members.front(), .best_case = members.front(), .cases = members.size()};
  double sum = 0, best = nothing;
  for (const auto member : members) {
    const double value = metrics[member];
    if (!std::isfinite(value)) continue;
    sum += value;
    ++ranked.values;
    if (std::isnan(best) || (maximise ? value > best : value < best)) {
      best = value;
      ranked.best_case = member;
    }
  }
  const auto count = static_cast<double>(ranked.values);
  ranked.mean = ranked.values > 0 ? sum / count : nothing;
  double squares = 0;
  for (const auto member : members)
    if (std::isfinite(metrics[member])) squares += (metrics[member] - ranked.mean) * (metrics[member] - ranked.mean);
  ranked.spread = ranked.values > 1 ? std::sqrt(squares / (count - 1)) : nothing;
  return ranked;
}

}  // namespace

const std::vector<CaseResult>& Results::look() {
  cases_.resize(plan_.cases.size());
  const auto survey = ledger_.survey();
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    auto& result = cases_[i];
    const auto found = survey.find(plan_.cases[i].id);
    if (found == survey.end()) continue;
    const auto& state = found->second;
    if (result.outcome && result.retried == state.retried) continue;
    result.retried = state.retried;
    result.outcome = state.done ? ledger_.outcome(plan_.cases[i].id, state.retried) : std::nullopt;
    result.stage = result.outcome ? Stage::over : state.waiting() ? Stage::waiting : Stage::running;
  }
  return cases_;
}

double metric_of(const Plan& plan, const CaseResult& result) {
  if (!result.done()) return nothing;
  const auto found = result.outcome->metrics.find(plan.metric);
  return found == result.outcome->metrics.end() ? nothing : found->second;
}

std::vector<Ranked> ranking(const Plan& plan, const std::vector<CaseResult>& results) {
  std::vector<double> metrics;
  std::vector<std::vector<std::size_t>> settings;
  std::map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < plan.cases.size(); ++i) {
    metrics.push_back(metric_of(plan, results[i]));
    const auto [found, fresh] = numbers.try_emplace(key_of_setting(plan.cases[i]), settings.size());
    if (fresh) settings.emplace_back();
    settings[found->second].push_back(i);
  }
  std::vector<Ranked> ranked;
  for (const auto& members : settings)
    if (auto entry = summary_of(members, metrics, plan.maximise); entry.values > 0) ranked.push_back(entry);
  std::ranges::stable_sort(
      ranked, [&](const Ranked& a, const Ranked& b) { return plan.maximise ? a.mean > b.mean : a.mean < b.mean; });
  return ranked;
}

}  // namespace rankflow::sweep
