#include "sweep_size.hpp"

#include <algorithm>

#include "config/load.hpp"
#include "fit/fit_flow.hpp"
#include "fit/fit_vsmc.hpp"
#include "simulate/simulation.hpp"
#include "sweep/case_session.hpp"

namespace rankflow::drivers {
namespace {

struct Size {
  std::uint64_t memory = 0, file = 0;
};

Size size_of_fit(const sweep::Case& one, const parallel::Communicator& comm) {
  auto loaded = config::load_text<config::FitVsmcOptions>(one.configuration, one.id, {});
  const auto plan = fit::plan_fit(
      {.options = std::move(loaded.options), .configuration = one.configuration, .source = one.id, .output = one.id},
      comm);
  return {plan.memory_per_rank(), plan.file_bytes};
}

Size size_of_flow(const sweep::Case& one, const parallel::Communicator& comm) {
  auto loaded = config::load_text<config::FitFlowOptions>(one.configuration, one.id, {});
  const auto plan = fit::plan_fit_flow(
      {.options = std::move(loaded.options), .configuration = one.configuration, .source = one.id, .output = one.id},
      comm);
  return {plan.memory_per_rank, plan.file_bytes};
}

Size size_of_simulation(const sweep::Case& one, const parallel::Communicator& comm) {
  auto loaded = config::load_text<config::SimulateOptions>(one.configuration, one.id, {});
  const auto plan =
      simulate::plan_simulation({.options = std::move(loaded.options),
                                 .configuration = one.configuration,
                                 .source = one.id,
                                 .output = one.id,
                                 .type = one.driver == "simulate" ? io::FileType::run : io::FileType::recording},
                                comm);
  return {plan.memory_per_rank(), plan.file_bytes};
}

}  // namespace

SweepSize size_of(const sweep::Plan& plan, std::size_t settings, std::size_t most) {
  const parallel::Communicator alone;
  SweepSize size{.looked_at = std::min(settings, most)};
  double files = 0;
  for (std::size_t i = 0; i < size.looked_at; ++i) {
    const auto& one = plan.cases.at(i * settings / size.looked_at);
    const auto found = with_context("looking at the case with " + sweep::description_of(one), [&] {
      if (one.driver == "fit vsmc") return size_of_fit(one, alone);
      return one.driver == "fit flow" ? size_of_flow(one, alone) : size_of_simulation(one, alone);
    });
    size.memory = std::max(size.memory, found.memory);
    size.largest_file = std::max(size.largest_file, found.file);
    files += static_cast<double>(found.file);
  }
  size.all_files = files / static_cast<double>(size.looked_at) * static_cast<double>(plan.cases.size());
  return size;
}

}  // namespace rankflow::drivers
