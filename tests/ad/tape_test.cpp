#include "ad/tape.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocation_counter.hpp"

namespace rankflow::ad {
namespace {

using rankflow::testing::allocations;

bool is_aligned(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

/// result = a * b, element by element.
Array<double> multiply(Tape& tape, const Array<double>& a, const Array<double>& b) {
  const auto result = tape.array<double>(a.rows, a.columns);
  for (std::int64_t k = 0; k < a.size(); ++k) result.value[k] = a.value[k] * b.value[k];
  tape.record([=] {
    for (std::int64_t k = 0; k < a.size(); ++k) {
      if (a.has_adjoint()) a.adjoint[k] += result.adjoint[k] * b.value[k];
      if (b.has_adjoint()) b.adjoint[k] += result.adjoint[k] * a.value[k];
    }
  });
  return result;
}

TEST(Arena, PiecesAreAlignedAndApart) {
  Arena arena;
  std::vector<float*> pieces;
  for (int k = 0; k < 2000; ++k) {
    pieces.push_back(arena.zeros<float>(k));
    ASSERT_TRUE(is_aligned(pieces.back()));
    for (int i = 0; i < k; ++i) {
      ASSERT_EQ(pieces.back()[i], 0.0F);
      pieces.back()[i] = static_cast<float>(k);
    }
  }
  for (int k = 0; k < 2000; ++k)
    for (int i = 0; i < k; ++i) ASSERT_EQ(pieces[static_cast<std::size_t>(k)][i], static_cast<float>(k));
  EXPECT_GE(arena.used(), sizeof(float) * 1999 * 1000);
  EXPECT_LE(arena.used(), arena.capacity());
  arena.reset();
  EXPECT_EQ(arena.used(), 0U);
}

TEST(Arena, SecondPassAllocatesNothing) {
  Arena arena;
  const auto pass = [&] {
    arena.reset();
    for (int k = 0; k < 300; ++k) arena.zeros<double>(100 * k);
  };
  const auto before_first = allocations.load();
  pass();
  EXPECT_GT(allocations.load(), before_first) << "control: allocations are counted";
  pass();  // makes one block of many
  const auto before_third = allocations.load();
  pass();
  EXPECT_EQ(allocations.load(), before_third);
}

TEST(Tape, MultipliesAndDifferentiates) {
  Tape tape;
  double value[2] = {3.0, -2.0};
  double adjoint[2] = {0.0, 0.0};
  const Array<double> x{value, adjoint, 1, 2};
  const auto c = tape.constant<double>(std::vector<double>{5.0, 7.0}, 1, 2);
  // y = c x^3
  const auto y = multiply(tape, multiply(tape, multiply(tape, x, x), x), c);
  EXPECT_EQ(tape.records(), 3);
  EXPECT_EQ(y.value[0], 135.0);
  EXPECT_EQ(y.value[1], -56.0);
  y.adjoint[0] = 1.0;
  y.adjoint[1] = 10.0;
  tape.backward();
  EXPECT_EQ(adjoint[0], 5.0 * 27.0);
  EXPECT_EQ(adjoint[1], 10.0 * 7.0 * 12.0);
  tape.backward();
  EXPECT_EQ(adjoint[0], 5.0 * 27.0) << "records run once";
}

TEST(Tape, WithoutRecordingNothingIsDifferentiated) {
  Tape tape;
  tape.set_recording(false);
  double value = 3.0;
  double adjoint = 0.0;
  const Array<double> x{&value, &adjoint, 1, 1};
  const auto y = multiply(tape, x, x);
  EXPECT_EQ(y.value[0], 9.0);
  EXPECT_FALSE(y.has_adjoint());
  EXPECT_TRUE(y.adjoints().empty());
  EXPECT_EQ(tape.records(), 0);
  tape.backward();
  EXPECT_EQ(adjoint, 0.0);
}

TEST(Tape, SteadyStateAllocatesNothing) {
  Tape tape;
  double value = 0.5;
  double adjoint = 0.0;
  const auto pass = [&] {
    tape.reset();
    adjoint = 0.0;
    const Array<double> x{&value, &adjoint, 1, 1};
    auto power = x;
    for (int k = 0; k < 5000; ++k) power = multiply(tape, power, tape.constant<double>(std::span(&value, 1), 1, 1));
    power = multiply(tape, x, power);
    power.adjoint[0] = 1.0;
    tape.backward();
  };
  pass();
  pass();
  const auto before = allocations.load();
  pass();
  EXPECT_EQ(allocations.load(), before);
  const auto held = tape.arena().capacity();
  pass();
  EXPECT_EQ(tape.arena().capacity(), held);
}

}  // namespace
}  // namespace rankflow::ad
