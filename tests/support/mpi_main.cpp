// main() of the tests that run under a launcher: fails when the launcher gave another rank count than
// the test was registered with (N singletons would otherwise agree with themselves).
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "parallel/communicator.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  rankflow::parallel::Environment environment(argc, argv);
  const auto world = environment.world();
  if (const char* expected = std::getenv("RANKFLOW_EXPECTED_RANKS");
      expected != nullptr && std::to_string(world.size()) != expected) {
    std::fprintf(stderr, "expected %s ranks, the launcher gave %d\n", expected, world.size());
    return EXIT_FAILURE;
  }
  if (!world.is_root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
  }
  const bool failed = RUN_ALL_TESTS() != 0;
  return world.any(failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
