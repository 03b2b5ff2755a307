// Steps allocate nothing: calls of malloc and its kin by this program are counted, those of C libraries included. Left
// out under the address sanitizer, which has its own.
#if defined(__has_feature)  // clang's way of saying it
#if __has_feature(address_sanitizer)
#define RANKFLOW_OTHER_MALLOC
#endif
#elif defined(__SANITIZE_ADDRESS__)  // GCC's
#define RANKFLOW_OTHER_MALLOC
#endif
#ifndef RANKFLOW_OTHER_MALLOC
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.hpp"
#include "simulate/assembly.hpp"

namespace {
std::atomic<std::int64_t> allocations = 0;
}

// The C library's own functions under their other names (glibc); operator new calls malloc.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
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
    EXPECT_EQ(sink.counts[row] - sink.counts[row - 1], 0)
        << ::testing::PrintToString(sets) << " between rows " << row - 1 << " and " << row;
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

TEST(Allocation, NoneInStepsOfSundials) {
  for (const std::string method : {"runge_kutta", "adams", "bdf"})
    for (const std::string space : {"neuron", "latent"})
      expect_steps_without_allocation<double>({"integration.method=" + method, "integration.space=" + space,
                                               "time.trials=1", "integration.restart_every=1"});
  expect_steps_without_allocation<double>({"integration.method=bdf", "network.bulk.kind=sparse",
                                           "network.bulk.gain=0.8", "network.bulk.in_degree=20", "time.trials=1",
                                           "integration.restart_every=1"});
}

}  // namespace
}  // namespace rankflow::simulate
#endif
