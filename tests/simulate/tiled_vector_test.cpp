#include "simulate/tiled_vector.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <nvector/nvector_serial.h>

namespace rankflow::simulate {
namespace {

/// The same numbers in a tiled vector and in SUNDIALS' serial one.
class TiledVector : public testing::TestWithParam<std::int64_t> {
 protected:
  struct Pair {
    VectorHandle tiled, serial;
  };

  Pair make(int seed) {
    Pair pair{make_tiled_vector(partition_, comm_, context_.get()),
              VectorHandle(N_VNew_Serial(GetParam(), context_.get()))};
    std::mt19937_64 generator(static_cast<unsigned>(seed));
    std::normal_distribution<double> normal;
    for (std::int64_t i = 0; i < GetParam(); ++i)
      tiled_values(pair.tiled.get()).at(i, 0) = NV_Ith_S(pair.serial.get(), i) = normal(generator);
    return pair;
  }

  void expect_equal(const Pair& pair, const char* operation) {
    const auto& values = tiled_values(pair.tiled.get());
    for (std::int64_t i = 0; i < GetParam(); ++i)
      ASSERT_NEAR(values.at(i, 0), NV_Ith_S(pair.serial.get(), i), 1e-14 * (1 + std::abs(values.at(i, 0))))
          << operation << ", entry " << i;
    for (std::int64_t i = GetParam(); i < partition_.padded_count(); ++i)
      ASSERT_EQ(values.at(i, 0), 0.0) << operation << " touched the padding";
  }

  /// Applies `operation(x, y, z)` to both kinds and compares z.
  template <class Operation>
  void compare(const char* name, Operation operation) {
    const Pair x = make(1), y = make(2), z = make(3);
    const double untouched = tiled_values(z.tiled.get()).at(0, 0);
    operation(x.tiled.get(), y.tiled.get(), z.tiled.get());
    operation(x.serial.get(), y.serial.get(), z.serial.get());
    expect_equal(z, name);
    EXPECT_NE(tiled_values(z.tiled.get()).at(0, 0), untouched) << name << " did nothing";
  }

  template <class Reduction>
  void compare_value(const char* name, Reduction reduction) {
    const Pair x = make(1), y = make(2), z = make(3);
    const double expected = reduction(x.serial.get(), y.serial.get(), z.serial.get());
    EXPECT_NEAR(reduction(x.tiled.get(), y.tiled.get(), z.tiled.get()), expected, 1e-13 * std::abs(expected)) << name;
    tiled_values(x.tiled.get()).at(GetParam() / 2, 0) = -1e6;
    EXPECT_NE(reduction(x.tiled.get(), y.tiled.get(), z.tiled.get()), expected) << "control of " << name;
  }

  SundialsContext context_;
  parallel::Communicator comm_;
  parallel::Partition partition_{GetParam(), 1, 0};
};

TEST_P(TiledVector, StreamingOperationsMatchTheSerialVector) {
  compare("linear sum", [](N_Vector x, N_Vector y, N_Vector z) { N_VLinearSum(2.5, x, -1.5, y, z); });
  compare("linear sum in place", [](N_Vector x, N_Vector, N_Vector z) { N_VLinearSum(2.5, z, 1.0, x, z); });
  compare("constant", [](N_Vector, N_Vector, N_Vector z) { N_VConst(3.25, z); });
  compare("product", [](N_Vector x, N_Vector y, N_Vector z) { N_VProd(x, y, z); });
  compare("quotient", [](N_Vector x, N_Vector y, N_Vector z) { N_VDiv(x, y, z); });
  compare("scale", [](N_Vector x, N_Vector, N_Vector z) { N_VScale(-2.0, x, z); });
  compare("copy", [](N_Vector x, N_Vector, N_Vector z) { N_VScale(1.0, x, z); });
  compare("absolute", [](N_Vector x, N_Vector, N_Vector z) { N_VAbs(x, z); });
  compare("inverse", [](N_Vector x, N_Vector, N_Vector z) { N_VInv(x, z); });
  compare("add constant", [](N_Vector x, N_Vector, N_Vector z) { N_VAddConst(x, 4.0, z); });
  compare("compare", [](N_Vector x, N_Vector, N_Vector z) { N_VCompare(0.7, x, z); });
  compare("inverse test", [](N_Vector x, N_Vector, N_Vector z) { EXPECT_TRUE(N_VInvTest(x, z)); });
  compare("fused combination", [](N_Vector x, N_Vector y, N_Vector z) {
    realtype c[] = {0.5, -2.0, 3.0};
    N_Vector terms[] = {z, x, y};
    N_VLinearCombination(3, c, terms, z);
  });
  compare("fused scale and add", [](N_Vector x, N_Vector y, N_Vector z) {
    realtype a[] = {0.5, -2.0};
    N_Vector in[] = {z, y};
    N_VScaleAddMulti(2, a, x, in, in);
  });
}

TEST_P(TiledVector, ReductionsMatchTheSerialVector) {
  compare_value("dot", [](N_Vector x, N_Vector y, N_Vector) { return N_VDotProd(x, y); });
  compare_value("wrms", [](N_Vector x, N_Vector y, N_Vector) { return N_VWrmsNorm(x, y); });
  compare_value("wrms mask", [](N_Vector x, N_Vector y, N_Vector z) {
    N_VAbs(z, z);  // every entry counts, so that the control's counts too
    return N_VWrmsNormMask(x, y, z);
  });
  compare_value("wl2", [](N_Vector x, N_Vector y, N_Vector) { return N_VWL2Norm(x, y); });
  compare_value("l1", [](N_Vector x, N_Vector, N_Vector) { return N_VL1Norm(x); });
  compare_value("max norm", [](N_Vector x, N_Vector, N_Vector) { return N_VMaxNorm(x); });
  compare_value("min", [](N_Vector x, N_Vector, N_Vector) { return N_VMin(x); });
  compare_value("min quotient", [](N_Vector x, N_Vector y, N_Vector) {
    N_VAbs(y, y);
    return N_VMinQuotient(x, y);
  });
}

TEST_P(TiledVector, MaskLeavesOutEntries) {
  const Pair x = make(1), w = make(2), id = make(3);
  EXPECT_NEAR(N_VWrmsNormMask(x.tiled.get(), w.tiled.get(), id.tiled.get()),
              N_VWrmsNormMask(x.serial.get(), w.serial.get(), id.serial.get()), 1e-13);
}

TEST_P(TiledVector, ConstraintsAndZerosAreFound) {
  const Pair c = make(1), x = make(2), mask = make(3);
  for (const auto& v : {c.tiled.get(), c.serial.get()}) N_VConst(-1.0, v);
  EXPECT_EQ(N_VConstrMask(c.tiled.get(), x.tiled.get(), mask.tiled.get()),
            N_VConstrMask(c.serial.get(), x.serial.get(), mask.serial.get()));
  expect_equal(mask, "constraint mask");
  for (const auto& v : {x.tiled.get(), x.serial.get()}) N_VConst(-2.0, v);
  EXPECT_TRUE(N_VConstrMask(c.tiled.get(), x.tiled.get(), mask.tiled.get()));
  tiled_values(x.tiled.get()).at(0, 0) = 0.0;
  EXPECT_TRUE(N_VConstrMask(c.tiled.get(), x.tiled.get(), mask.tiled.get())) << "-1 allows 0";
  N_VConst(-2.0, c.tiled.get());
  EXPECT_FALSE(N_VConstrMask(c.tiled.get(), x.tiled.get(), mask.tiled.get())) << "-2 does not";
  EXPECT_FALSE(N_VInvTest(x.tiled.get(), mask.tiled.get()));
}

TEST_P(TiledVector, ClonesAreIndependentAndKnowTheGlobalLength) {
  const Pair x = make(1);
  const VectorHandle copy(N_VClone(x.tiled.get()));
  EXPECT_EQ(N_VGetLength(copy.get()), GetParam());
  N_VConst(1.0, copy.get());
  EXPECT_EQ(N_VL1Norm(copy.get()), static_cast<double>(GetParam()));
  expect_equal(x, "clone");
}

INSTANTIATE_TEST_SUITE_P(Lengths, TiledVector, testing::Values(1, 7, 512, 513, 2000));

TEST(TiledVectorOfNothing, NonFiniteEntriesMakeTheNormNonFinite) {
  const SundialsContext context;
  const parallel::Communicator comm;
  const auto x = make_tiled_vector(parallel::Partition(700, 1, 0), comm, context.get());
  N_VConst(1.0, x.get());
  EXPECT_EQ(N_VWrmsNorm(x.get(), x.get()), 1.0);
  tiled_values(x.get()).at(600, 0) = std::nan("");
  EXPECT_TRUE(std::isnan(N_VWrmsNorm(x.get(), x.get())));
}

}  // namespace
}  // namespace rankflow::simulate
