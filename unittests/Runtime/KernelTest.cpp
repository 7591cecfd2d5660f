// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The simulator's kernels against docs/Numerics.md, on random layers.

#include "RandomLayer.h"
#include "Simulator/Dispatch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace cim::test;

namespace {
class KernelTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    if (!cim::sim::isaSupported(GetParam()))
      GTEST_SKIP() << "this processor has no " << GetParam();
  }
};
} // namespace

static void expectContract(const char *isa, bool ideal, unsigned seed,
                           unsigned count, const LayerLimits &limits) {
  std::mt19937 random(seed);
  for (unsigned i = 0; i < count; ++i) {
    std::unique_ptr<TestLayer> test = randomLayer(random, limits);
    std::string error;
    DeviceOptions options;
    options.mode = ideal ? "ideal" : "exact";
    options.isa = isa;
    std::vector<uint8_t> found = runOn(*test, options, error);
    ASSERT_EQ(error, "") << describe(*test);
    ASSERT_EQ(found, expectedOutput(*test, ideal))
        << "layer " << i << ": " << describe(*test);
  }
}

TEST_P(KernelTest, ExactFollowsTheContract) {
  expectContract(GetParam(), false, 1, 150, {});
}

TEST_P(KernelTest, IdealFollowsTheContract) {
  expectContract(GetParam(), true, 2, 100, {});
}

TEST_P(KernelTest, ManyColumns) {
  expectContract(GetParam(), false, 3, 10, {70, 300, 5});
}

// Small sums make rounding ties likely: gain 1/2 on sums of few values.
TEST_P(KernelTest, TiesRoundToEven) {
  std::mt19937 random(4);
  std::unique_ptr<TestLayer> test = matrixLayer(random, 3, 33, 50);
  test->blocks[0].gain = 0.5f;
  test->layer.adc_lo = -31;
  test->layer.adc_hi = 31;
  test->finish();
  for (cim_rounding rounding : {CIM_NEAREST_EVEN, CIM_FLOOR, CIM_MID_RISE}) {
    test->layer.adc_rounding = rounding;
    std::string error;
    DeviceOptions options;
    options.isa = GetParam();
    EXPECT_EQ(runOn(*test, options, error), expectedOutput(*test, false));
    EXPECT_EQ(error, "");
  }
}

// The largest sums that a pair of 7-bit inputs and 7-bit weights can make do
// not saturate.
TEST_P(KernelTest, ExtremeValues) {
  std::mt19937 random(5);
  for (int sign : {-1, 1}) {
    std::unique_ptr<TestLayer> test = matrixLayer(random, 64, 40, 3);
    test->layer.in_type = CIM_U8;
    std::fill(test->input.begin(), test->input.end(), 127);
    std::fill(test->arrays[0].cells.begin(), test->arrays[0].cells.end(),
              int8_t(127 * sign));
    std::string error;
    DeviceOptions options;
    options.isa = GetParam();
    options.target = R"({"array": {"cell_lo": -127, "cell_hi": 127}})";
    test->layer.adc_lo = -(1 << 23);
    test->layer.adc_hi = 1 << 23;
    EXPECT_EQ(runOn(*test, options, error), expectedOutput(*test, false));
    EXPECT_EQ(error, "");
  }
}

// Sums that lie on thresholds: these are multiples of the gain.
TEST_P(KernelTest, ThresholdsAreReached) {
  std::mt19937 random(9);
  std::unique_ptr<TestLayer> test = matrixLayer(random, 6, 40, 200);
  test->layer.in_type = CIM_U8;
  for (int8_t &q : test->input)
    q = int8_t(random() % 40);
  test->blocks[0].gain = 0.25f;
  test->layer.adc_lo = -32;
  test->layer.adc_hi = 31;
  test->finish();
  for (int spread : {1, 5, 200}) {
    std::vector<double> thresholds;
    std::string inl;
    for (int m = -31; m < 32; ++m) {
      double error = 0.25 * (int(random() % uint32_t(2 * spread)) - spread);
      double least = m == -31 ? -1e9 : thresholds.back();
      thresholds.push_back(std::max(m - 0.5 + error, least));
      inl += (m == -31 ? "" : ", ") + std::to_string(error);
    }
    DeviceOptions options;
    options.mode = "analog";
    options.isa = GetParam();
    options.target = R"({"adc": {"inl": [)" + inl + "]}}";
    std::string error;
    std::vector<uint8_t> bytes = runOn(*test, options, error);
    ASSERT_EQ(error, "");
    const cim_block &b = test->blocks[0];
    const ArrayImage &array = test->arrays[b.array];
    for (uint32_t i = 0; i < 200 * 40; ++i) {
      int sum = 0;
      for (uint32_t k = 0; k < 6; ++k)
        sum += test->input[i / 40 * 6 + k] *
               array.cells[(b.row + k) * array.columns + b.column + i % 40];
      double code = -32;
      for (double threshold : thresholds)
        code += sum * 0.25 >= threshold;
      float found;
      memcpy(&found, &bytes[i * 4], 4);
      ASSERT_EQ(found, float(code * 4)) << sum;
    }
  }
}

TEST_P(KernelTest, EightBitInputs) {
  std::mt19937 random(6);
  std::unique_ptr<TestLayer> test = matrixLayer(random, 100, 40, 5);
  test->layer.in_type = CIM_U8;
  std::fill(test->input.begin(), test->input.end(), int8_t(255));
  for (int8_t &cell : test->arrays[0].cells)
    cell = int8_t(cell * 127);
  std::string error;
  DeviceOptions options;
  options.isa = GetParam();
  options.target =
      R"({"array": {"cell_lo": -127, "cell_hi": 127}, "input": {"bits": 8}})";
  EXPECT_EQ(runOn(*test, options, error), expectedOutput(*test, false));
  EXPECT_EQ(error, "");
}

// Planes of an ideal device are merged; five radix planes do not fit 8 bits
// together, and sums beyond 2^24 are rounded block by block.
TEST_P(KernelTest, IdealPlanes) {
  std::mt19937 random(8);
  for (uint32_t planes : {2, 4, 6})
    for (float unit : {1.0f, 0.5f, 40000.0f}) {
      std::unique_ptr<TestLayer> test = matrixLayer(random, 90, 20, 4);
      cim_block block = test->blocks[0];
      ArrayImage array = test->arrays[0];
      test->blocks.clear();
      test->arrays.clear();
      test->significance.clear();
      for (uint32_t p = 0; p < planes; ++p) {
        block.array = block.plane = p;
        test->blocks.push_back(block);
        std::shuffle(array.cells.begin(), array.cells.end(), random);
        test->arrays.push_back(array);
        test->significance.insert(test->significance.end(), 20,
                                  unit * std::pow(3.0f, float(p)));
      }
      test->layer.plane_count = planes;
      test->finish();
      std::string error;
      DeviceOptions options;
      options.mode = "ideal";
      options.isa = GetParam();
      EXPECT_EQ(runOn(*test, options, error), expectedOutput(*test, true));
      EXPECT_EQ(error, "");
    }
}

INSTANTIATE_TEST_SUITE_P(
    Isa, KernelTest, testing::Values("portable", "avx2", "avxvnni", "avx512"),
    [](const auto &info) { return std::string(info.param); });

TEST(Kernel, UnknownIsaIsAnError) {
  std::mt19937 random(7);
  std::unique_ptr<TestLayer> test = matrixLayer(random, 4, 4, 1);
  std::string error;
  DeviceOptions options;
  options.isa = "sse9";
  runOn(*test, options, error);
  EXPECT_EQ(error, "CIM_ISA is 'sse9', expected portable, avx2, avxvnni or "
                   "avx512");
}
