// Rank 1 fails alone while the others wait for it.
#include <cstdio>

#include "core/error.hpp"
#include "parallel/failure_guard.hpp"

using namespace rankflow;

namespace {

ExitCode wait_for_all(const parallel::Communicator& comm) {
  with_context("stepping the network", [&] {
    with_context("summing the latents", [&] {
      if (comm.rank() == 1) throw NumericalError("latent {} is not finite", 3);
      comm.barrier();
    });
  });
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  const parallel::Environment environment(argc, argv);
  const auto guard = environment.world();
  const auto comm = environment.world();
  return parallel::run_guarded(
      guard, [&] { return wait_for_all(comm); },
      [](const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); });
}
