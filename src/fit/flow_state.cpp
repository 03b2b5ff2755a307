#include "fit/flow_state.hpp"

#include <limits>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

/// Calls `visit(name, values)` for every vector of a stage.
template <class Stage, class Visit>
void visit_stage(const std::string& name, Stage& stage, const Visit& visit) {
  visit(name + "_state", stage.now.state);
  visit(name + "_recent_state", stage.recent.state);
  visit(name + "_good_state", stage.good.state);
  visit(name + "_loss", stage.loss);
  visit(name + "_validation", stage.validation);
  visit(name + "_seconds", stage.seconds);
}

template <class State, class Visit>
void visit_vectors(State& state, const Visit& visit) {
  visit_stage("loadings", state.loadings, visit);
  visit_stage("conditional", state.conditional, visit);
}

template <class State>
auto whole_numbers(State& state) {
  std::vector<decltype(&state.loadings.setbacks)> numbers;
  for (auto* stage : {&state.loadings, &state.conditional})
    for (auto* number : {&stage->now.epoch, &stage->now.steps, &stage->recent.epoch, &stage->recent.steps,
                         &stage->good.epoch, &stage->good.steps, &stage->setbacks})
      numbers.push_back(number);
  return numbers;
}

void require_count(std::size_t found, std::size_t expected, const std::string& name) {
  if (found != expected)
    throw InputDataError("the checkpoint holds {} numbers of '{}', this fit has {}", found, name, expected);
}

}  // namespace

FlowStage::FlowStage(std::int64_t epochs) {
  for (auto* curve : {&loss, &validation, &seconds})
    curve->assign(static_cast<std::size_t>(epochs), std::numeric_limits<double>::quiet_NaN());
}

FlowFitState::FlowFitState(std::int64_t loadings_epochs, std::int64_t conditional_epochs)
    : loadings(loadings_epochs), conditional(conditional_epochs) {}

void FlowFitState::save(io::CheckpointWriter& checkpoint) const {
  std::vector<std::int64_t> sizes;
  visit_vectors(*this, [&](const std::string& name, const std::vector<double>& values) {
    sizes.push_back(static_cast<std::int64_t>(values.size()));
    if (!values.empty()) checkpoint.values<double>(name, values);
  });
  sizes.push_back(static_cast<std::int64_t>(basis.size()));
  if (!basis.empty()) checkpoint.values<std::int64_t>("basis", basis);
  checkpoint.values<std::int64_t>("sizes", sizes);
  std::vector<std::int64_t> whole;
  for (const auto* number : whole_numbers(*this)) whole.push_back(*number);
  checkpoint.values<std::int64_t>("counters", whole);
  checkpoint.values<double>("numbers", std::vector{loadings.rate_factor, conditional.rate_factor});
}

void FlowFitState::resume(const io::CheckpointReader& checkpoint) {
  const auto epochs = std::pair(loadings.loss.size(), conditional.loss.size());
  const auto sizes = checkpoint.values<std::int64_t>("sizes");
  constexpr std::size_t vectors = 13;  // six of each stage, and the basis
  require_count(sizes.size(), vectors, "sizes");
  std::size_t place = 0;
  visit_vectors(*this, [&](const std::string& name, std::vector<double>& values) {
    values = sizes.at(place++) > 0 ? checkpoint.values<double>(name) : std::vector<double>();
  });
  basis = sizes.at(place) > 0 ? checkpoint.values<std::int64_t>("basis") : BasisOrigin();
  require_count(loadings.loss.size(), epochs.first, "loadings_loss");
  require_count(conditional.loss.size(), epochs.second, "conditional_loss");
  const auto whole = checkpoint.values<std::int64_t>("counters");
  const auto whole_targets = whole_numbers(*this);
  require_count(whole.size(), whole_targets.size(), "counters");
  for (std::size_t i = 0; i < whole_targets.size(); ++i) *whole_targets[i] = whole[i];
  const auto real = checkpoint.values<double>("numbers");
  require_count(real.size(), 2, "numbers");
  loadings.rate_factor = real[0];
  conditional.rate_factor = real[1];
}

}  // namespace rankflow::fit
