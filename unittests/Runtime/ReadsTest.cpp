// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How inputs reach the cells: slices, jitter of pulses, IR drop. Formulas are
// written once more here.

#include "Moments.h"
#include "RandomLayer.h"
#include "Simulator/Config.h"

#include <cstring>

using namespace cim::test;

/// Outputs of a layer, [images][columns].
static std::vector<float> runMatrix(const TestLayer &test,
                                    const std::string &target,
                                    const char *mode = "analog") {
  DeviceOptions options;
  options.mode = mode;
  options.target = target;
  options.seed = 5;
  std::string error;
  std::vector<uint8_t> bytes = runOn(test, options, error);
  EXPECT_EQ(error, "");
  std::vector<float> values(bytes.size() / 4);
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// One signed vector, as often as asked; a gain that hides the rounding.
static std::unique_ptr<TestLayer> repeated(uint32_t k, uint32_t n,
                                           uint32_t images) {
  std::mt19937 random(31);
  auto test = matrixLayer(random, k, n, images);
  test->layer.in_type = CIM_I8;
  for (size_t i = 0; i < test->input.size(); ++i)
    test->input[i] = i < k ? int8_t(random() % 5 ? random() % 127 - 63 : 0)
                           : test->input[i - k];
  test->blocks[0].gain = 256;
  test->layer.adc_lo = -(1 << 23);
  test->layer.adc_hi = (1 << 23) - 1;
  test->finish();
  return test;
}

static int cellOf(const TestLayer &test, uint32_t k, uint32_t n) {
  const cim_block &b = test.blocks[0];
  const ArrayImage &array = test.arrays[b.array];
  return array.cells[size_t(b.row + k) * array.columns + b.column + n];
}

static double exactSum(const TestLayer &test, uint32_t n) {
  double sum = 0;
  for (uint32_t k = 0; k < test.blocks[0].k_count; ++k)
    sum += test.input[k] * cellOf(test, k, n);
  return sum;
}

TEST(Reads, JitterIsSharedByTheColumns) {
  constexpr uint32_t rows = 80, columns = 6, images = 6000;
  auto test = repeated(rows, columns, images);
  std::vector<float> x = runMatrix(*test, R"({"input": {"jitter": 0.25}})");
  // Deviates are multiples of a tenth, and their sums too; the bins below are
  // not. Dither fills the gaps, and adds the 1/12 of a step that the effect has
  // taken from its scale.
  std::mt19937 random(32);
  std::uniform_real_distribution<float> gap(-0.5f, 0.5f);
  std::vector<float> dither(images);
  for (float &d : dither)
    d = gap(random) * 0.025f;
  auto expected = [&](uint32_t a, uint32_t b) {
    double sum = 0;
    for (uint32_t k = 0; k < rows; ++k)
      if (test->input[k])
        sum += cellOf(*test, k, a) * cellOf(*test, k, b);
    return 0.0625 * sum;
  };
  for (uint32_t a = 0; a < columns; ++a)
    for (uint32_t b = 0; b <= a; ++b) {
      Sample product, value;
      double meanA = exactSum(*test, a), meanB = exactSum(*test, b);
      for (uint32_t i = 0; i < images; ++i) {
        value.values.push_back(x[i * columns + a]);
        product.values.push_back((x[i * columns + a] - meanA) *
                                 (x[i * columns + b] - meanB));
      }
      product.expectMean(expected(a, b)); // covariance
      if (a != b)
        continue;
      value.expectMean(meanA);
      value.expectIndependent();
      double sigma = std::sqrt(expected(a, a));
      for (uint32_t i = 0; i < images; ++i)
        value.values[i] += dither[i];
      value.expectDistribution(
          [&](double v) { return normalCdf((v - meanA) / sigma); });
    }
}

TEST(Reads, AnalogSlicesAddUpExactly) {
  auto test = repeated(100, 20, 1);
  std::vector<float> whole = runMatrix(*test, "{}", "exact");
  for (int bits : {1, 2, 3, 6}) {
    std::string input =
        R"({"input": {"accumulation": "analog", "slice_bits": )";
    std::string target = input + std::to_string(bits) + "}}";
    EXPECT_EQ(runMatrix(*test, target), whole);
    EXPECT_EQ(runMatrix(*test, target, "exact"), whole);
  }
}

// The slices' noises are independent: their squares add up, not their sums.
TEST(Reads, AnalogSlicesHaveTheirOwnReadNoise) {
  constexpr uint32_t columns = 8, images = 4000;
  auto test = repeated(100, columns, images);
  std::vector<float> x = runMatrix(*test, R"({"noise": {"read": 0.03},
      "input": {"accumulation": "analog", "slice_bits": 2}})");
  for (uint32_t n = 0; n < columns; ++n) {
    double sum = 0;
    for (uint32_t k = 0; k < 100; ++k) {
      int q = std::abs(test->input[k]), t = cellOf(*test, k, n);
      for (int shift = 0; shift < 6; shift += 2) {
        int part = (q >> shift & 3) << shift;
        sum += t * t * part * part;
      }
    }
    Sample s;
    for (uint32_t i = 0; i < images; ++i)
      s.values.push_back(x[i * columns + n]);
    s.expectMean(exactSum(*test, n));
    s.expectDeviation(0.03 * std::sqrt(sum));
  }
}

// Six bits of magnitude in slices of two: three conversions.
TEST(Reads, DigitalSlicesAreConvertedOneByOne) {
  auto test = repeated(60, 16, 1);
  test->blocks[0].gain = 0.125;
  test->layer.adc_lo = -32;
  test->layer.adc_hi = 31;
  std::vector<float> x = runMatrix(
      *test, R"({"input": {"slice_bits": 2, "slice_gain": 4}})", "exact");
  bool clipped = false;
  for (uint32_t n = 0; n < 16; ++n) {
    double total = 0, gain = 0.125 * 16 * 4;
    for (int s = 0; s < 3; ++s) {
      int sum = 0;
      for (uint32_t k = 0; k < 60; ++k) {
        int q = test->input[k], digit = std::abs(q) >> (2 * s) & 3;
        sum += (q < 0 ? -digit : digit) * cellOf(*test, k, n);
      }
      double code = std::nearbyint(sum * gain);
      clipped |= code > 31 || code < -32;
      total += std::min(std::max(code, -32.0), 31.0) * (1 << (2 * s));
    }
    EXPECT_FLOAT_EQ(x[n], float(total / gain));
  }
  EXPECT_TRUE(clipped);
}

TEST(Reads, DigitalSlicesHaveTheirOwnConversionNoise) {
  constexpr uint32_t columns = 4, images = 5000;
  auto test = repeated(60, columns, images);
  test->blocks[0].gain = 4;
  std::vector<float> x = runMatrix(*test, R"({"input": {"slice_bits": 1},
                                   "noise": {"adc_noise": 300}})");
  // Six slices of weights 1 .. 32 at 32 times the gain.
  double squares = 0;
  for (int s = 0; s < 6; ++s)
    squares += std::exp2(2 * s);
  for (uint32_t n = 0; n < columns; ++n) {
    Sample s;
    for (uint32_t i = 0; i < images; ++i)
      s.values.push_back(x[i * columns + n]);
    s.expectMean(exactSum(*test, n));
    s.expectDeviation(300 * std::sqrt(squares) / (4 * 32));
    s.expectIndependent();
  }
}

TEST(Reads, IrDropFit) {
  constexpr uint32_t rows = 256;
  auto test = repeated(rows, 12, 1);
  for (double kelvin : {300.0, 400.0}) {
    std::string target =
        R"({"lines": {"wire_resistance": 2.5, "cell_conductance": 25e-6,
            "temperature": )" +
        std::to_string(kelvin) + "}}";
    std::vector<float> x = runMatrix(*test, target);
    double wire = 2.5 * 25e-6 * (1 + 0.00451 * (kelvin - 300));
    for (uint32_t n = 0; n < 12; ++n) {
      // The share that a row loses has 127 steps.
      double load = 0, drop = 0, rounded = 0;
      for (uint32_t k = 0; k < rows; ++k) {
        double term = test->input[k] * cellOf(*test, k, n);
        double share = 1 - std::pow(1 - double(k) / rows, 2);
        load += std::abs(term) / 63;
        drop += term * share;
        rounded += term * std::floor(share * 127 + 0.5) / 127;
      }
      double a = rows * wire * load;
      double c = std::min(0.05 * a * a * a - 0.2 * a * a + 0.5 * a, 1.0);
      EXPECT_NEAR(x[n], exactSum(*test, n) - c * rounded,
                  0.01 + 1e-5 * std::abs(c * rounded));
      EXPECT_NEAR(rounded, drop, load * 63 * 0.5 / 127);
    }
  }
}

TEST(Reads, CutsAndTargetsThatCannotBe) {
  cim::sim::Config config;
  EXPECT_NE(cim::sim::parseConfig(
                R"({"input": {"slice_bits": 2, "jitter": 0.1}})", config),
            CIM_OK);
  // An input of one bit has one slice.
  EXPECT_EQ(cim::sim::parseConfig(R"({"input": {"bits": 1, "slice_bits": 1}})",
                                  config),
            CIM_OK);
  EXPECT_EQ(config.slices(CIM_U8), 1u);
}
