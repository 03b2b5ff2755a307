#include "arguments.hpp"

#include "config/load.hpp"
#include "config/simulate_options.hpp"
#include "core/version.hpp"
#include "io/provenance.hpp"

namespace rankflow::drivers {

ExitCode reference(const Surroundings& surroundings) {
  surroundings.console.print(
      config::reference_markdown<config::SimulateOptions>("Configuration of `simulate` and `generate`"));
  return ExitCode::done;
}

}  // namespace rankflow::drivers
