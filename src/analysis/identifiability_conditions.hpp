#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "connectivity/posterior.hpp"
#include "connectivity/visited_states.hpp"
#include "model/network.hpp"

namespace rankflow::analysis {

/// What is known of where the latents come from.
struct DataOrigin {
  std::string description;     ///< for the report, as in "run.h5:/trajectory/latent"
  bool exact_steps = true;     ///< rows lie one step of the latents' map apart
  bool given_loadings = true;  ///< m comes with the latents; false: fitted with them, so that z -> A z is free
};

enum class Verdict : std::uint8_t { not_met = 0, met = 1, not_applicable = 2 };

std::string name_of(Verdict verdict);

/// A condition for a unique connectivity.
struct Condition {
  std::string name;  ///< one word or a few, as in the file
  Verdict verdict = Verdict::not_applicable;
  double value = 0;  ///< what was found
  double limit = 0;  ///< met when value is at least (or, as `at_most` says, at most) this
  bool at_most = false;
  std::string meaning;  ///< what it is for, and what the number is
};

struct ConditionInputs {
  const model::Network<double>& network;
  const connectivity::VisitedStates& states;
  const DataOrigin& origin;
  const connectivity::Posterior& posterior;
  double tolerance = 0;      ///< of the reduced features
  double misfit = 0;         ///< residual mean square over that of y
  double noise_seen = 0;     ///< residual variance
  double noise_assumed = 0;  ///< sigma^2 behind lambda
  double worst_visited = 0;  ///< largest posterior over prior deviation of the drive at visited states
};

/// Checks each condition under which data and network have one connectivity n only. Collective.
std::vector<Condition> uniqueness_conditions(const ConditionInputs& inputs, const parallel::Communicator& comm);

}  // namespace rankflow::analysis
