// Steps allocate nothing: calls of operator new by this program are counted. What C libraries allocate by malloc is
// not seen. Left out under the address sanitizer, whose own operator new this one would replace by half.
#ifndef __SANITIZE_ADDRESS__
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.hpp"
#include "simulate/assembly.hpp"

namespace {
std::atomic<std::int64_t> allocations = 0;
}

// Not inlined: g++ 12 would take malloc and free in one function for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace rankflow::simulate {
namespace {

/// Keeps nothing but the number of allocations at each row.
class NullSink final : public RowSink {
 public:
  NullSink() { counts.reserve(1000); }
  std::int64_t rows_per_block(int) const override { return 1000; }
  void open_block(int, int, std::int64_t) override {}
  void record(std::int64_t, const StateView&) override { counts.push_back(allocations.load()); }
  void close_block() override {}

  std::vector<std::int64_t> counts;
};

constexpr const char* network = R"(
[network]
preset = "decision"
neurons = 1300
[time]
step = 0.001
duration = 0.2
save_every = 0.02
trials = 2
[initial]
latent = [0.5]
[[inputs]]
kind = "sinusoid"
amplitude = 0.3
frequency = 3.0
[[inputs]]
kind = "ornstein_uhlenbeck"
)";

template <class T>
void expect_steps_without_allocation(const std::vector<std::string>& sets) {
  const auto options = config::load_text<config::SimulateOptions>(network, "test.toml", sets).options;
  const parallel::Communicator comm;
  const std::int64_t before = allocations.load();
  Assembly<T> assembly(options, {}, comm);
  EXPECT_GT(allocations.load(), before) << "control: assembling allocates, and that is counted";
  parallel::HaltMonitor halt(comm, {});
  NullSink sink;
  ASSERT_TRUE(assembly.engine().run(sink, halt));
  ASSERT_EQ(sink.counts.size(), 11U);
  for (std::size_t row = 2; row <= 10; ++row)
    EXPECT_EQ(sink.counts[row] - sink.counts[row - 1], 0) << "between rows " << row - 1 << " and " << row;
}

TEST(Allocation, NoneInNeuronSpaceSteps) {
  expect_steps_without_allocation<double>({});
  expect_steps_without_allocation<float>({"run.precision=single"});
  expect_steps_without_allocation<double>({"integration.method=exponential_euler", "noise.neuron=0.1"});
  expect_steps_without_allocation<double>({"noise.latent=0.1", "network.time_constants=shared"});
  expect_steps_without_allocation<double>({"noise.neuron=0.1", "network.time_constants=log_uniform"});
}

TEST(Allocation, NoneWithABulk) {
  for (const std::string kind : {"sparse", "procedural"})
    expect_steps_without_allocation<double>(
        {"network.bulk.kind=" + kind, "network.bulk.gain=0.8", "network.bulk.in_degree=20"});
}

TEST(Allocation, NoneInLatentSpaceSteps) {
  expect_steps_without_allocation<double>({"integration.space=latent", "noise.latent=0.1"});
  expect_steps_without_allocation<float>({"integration.space=latent", "run.precision=single"});
}

}  // namespace
}  // namespace rankflow::simulate
#endif
