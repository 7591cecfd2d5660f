// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The analog device: statistics against closed forms, one effect at a time;
// limits; same bits on every instruction set.

#include "RandomLayer.h"
#include "Session/DeviceLibrary.h"
#include "Simulator/Dispatch.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace cim::test;

namespace {
/// Outputs of a matrix layer, [images][columns].
struct Outputs {
  uint32_t columns;
  std::vector<float> values;
  float at(uint32_t image, uint32_t n) const {
    return values[size_t(image) * columns + n];
  }
};

/// Sample mean and variance.
struct Moments {
  double count = 0, sum = 0, squares = 0;
  void add(double x) {
    count += 1;
    sum += x;
    squares += x * x;
  }
  double mean() const { return sum / count; }
  double variance() const {
    return (squares - sum * sum / count) / (count - 1);
  }
};
} // namespace

static std::string noise(const std::string &text) {
  return R"({"array": {"cell_lo": -3, "cell_hi": 3}, "noise": {)" + text + "}}";
}

static Outputs runMatrix(const TestLayer &test, const std::string &target,
                         uint64_t seed = 1, uint32_t trial = 0,
                         const char *mode = "analog") {
  DeviceOptions options;
  options.mode = mode;
  options.target = target;
  options.seed = seed;
  options.trial = trial;
  std::string error;
  std::vector<uint8_t> bytes = runOn(test, options, error);
  EXPECT_EQ(error, "");
  Outputs outputs = {test.layer.out_c, std::vector<float>(bytes.size() / 4)};
  memcpy(outputs.values.data(), bytes.data(), bytes.size());
  return outputs;
}

/// The same vector in every image, gain high enough to hide the rounding.
static std::unique_ptr<TestLayer> repeatedVector(uint32_t k, uint32_t n,
                                                 uint32_t images) {
  std::mt19937 random(11);
  std::unique_ptr<TestLayer> test = matrixLayer(random, k, n, images);
  for (size_t i = k; i < test->input.size(); ++i)
    test->input[i] = test->input[i - k];
  test->blocks[0].gain = 256;
  test->layer.adc_lo = -(1 << 23);
  test->layer.adc_hi = 1 << 23;
  test->finish();
  return test;
}

/// sum t^2 q^2 of a column.
static double squareSum(const TestLayer &test, uint32_t n) {
  const cim_block &b = test.blocks[0];
  const ArrayImage &array = test.arrays[b.array];
  double sum = 0;
  for (uint32_t k = 0; k < b.k_count; ++k) {
    double t = array.cells[(b.row + k) * array.columns + b.column + n];
    double q =
        test.layer.in_type == CIM_I8 ? test.input[k] : uint8_t(test.input[k]);
    sum += t * t * q * q;
  }
  return sum;
}

/// chi-square of `count` degrees of freedom as a z-score.
static double zScore(double chiSquare, double count) {
  return (chiSquare - count) / std::sqrt(2 * count);
}

/// x ~ N(mean[n], sigma[n]^2), independent over images and columns.
static void expectNormal(const Outputs &x, uint32_t images,
                         const std::vector<double> &mean,
                         const std::vector<double> &sigma) {
  double means = 0, variances = 0;
  std::vector<double> bins(20);
  Moments neighbours, repeats;
  for (uint32_t n = 0; n < x.columns; ++n) {
    Moments m;
    for (uint32_t i = 0; i < images; ++i) {
      double z = (x.at(i, n) - mean[n]) / sigma[n];
      m.add(z);
      int bin = int(20 * 0.5 * std::erfc(-z / std::sqrt(2.0)));
      bins[std::min(bin, 19)] += 1;
      if (n)
        neighbours.add(z * (x.at(i, n - 1) - mean[n - 1]) / sigma[n - 1]);
      if (i)
        repeats.add(z * (x.at(i - 1, n) - mean[n]) / sigma[n]);
    }
    means += m.mean() * m.mean() * images;
    variances += m.variance() * (images - 1);
  }
  EXPECT_LT(std::abs(zScore(means, x.columns)), 4);
  EXPECT_LT(std::abs(zScore(variances, x.columns * (images - 1.0))), 4);
  double expected = double(images) * x.columns / 20, distribution = 0;
  for (double count : bins)
    distribution += (count - expected) * (count - expected) / expected;
  EXPECT_LT(zScore(distribution, 19), 4);
  EXPECT_LT(std::abs(neighbours.mean() * std::sqrt(neighbours.count)), 4);
  EXPECT_LT(std::abs(repeats.mean() * std::sqrt(repeats.count)), 4);
}

TEST(Analog, ReadNoise) {
  constexpr uint32_t images = 4000;
  auto test = repeatedVector(200, 40, images);
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  Outputs x = runMatrix(*test, noise(R"("read": 0.02)"));
  std::vector<double> mean(40), sigma(40);
  for (uint32_t n = 0; n < 40; ++n) {
    mean[n] = exact.at(0, n);
    sigma[n] = 0.02 * std::sqrt(squareSum(*test, n));
  }
  expectNormal(x, images, mean, sigma);
}

TEST(Analog, ConverterNoise) {
  constexpr uint32_t images = 4000;
  auto test = repeatedVector(60, 33, images);
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  Outputs x = runMatrix(*test, noise(R"("adc_noise": 20000)"));
  // So many codes that their steps do not show in the bins.
  std::vector<double> mean(33), sigma(33, 20000.0 / 256);
  for (uint32_t n = 0; n < 33; ++n)
    mean[n] = exact.at(0, n);
  expectNormal(x, images, mean, sigma);
}

// As one normal, or as two when a line that might bend lies between.
TEST(Analog, BothNoisesAddUp) {
  constexpr uint32_t images = 4000;
  auto test = repeatedVector(100, 20, images);
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  std::string both = R"("read": 0.05, "adc_noise": 3000)";
  Outputs x = runMatrix(*test, noise(both));
  Outputs apart =
      runMatrix(*test, noise(both + R"(}, "lines": {"headroom": 1)"));
  EXPECT_NE(x.values, apart.values);
  std::vector<double> mean(20), sigma(20);
  for (uint32_t n = 0; n < 20; ++n) {
    mean[n] = exact.at(0, n);
    double read = 0.05 * std::sqrt(squareSum(*test, n)), adc = 3000.0 / 256;
    sigma[n] = std::sqrt(read * read + adc * adc);
  }
  expectNormal(x, images, mean, sigma);
  expectNormal(apart, images, mean, sigma);
}

/// One-hot inputs: image k shows the conductances of row k.
static std::unique_ptr<TestLayer> oneHot(uint32_t k, uint32_t n) {
  auto test = repeatedVector(k, n, k);
  test->layer.in_type = CIM_I8;
  std::fill(test->input.begin(), test->input.end(), int8_t(0));
  for (uint32_t i = 0; i < k; ++i)
    test->input[i * k + i] = 63;
  return test;
}

TEST(Analog, StaticVariation) {
  constexpr double sigma = 0.05;
  auto test = oneHot(120, 100);
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  Outputs x = runMatrix(*test, R"({"noise": {"static": 0.05}})");
  Moments deviation, neighbours;
  double previous = 0;
  for (uint32_t k = 0; k < 120; ++k)
    for (uint32_t n = 0; n < 100; ++n) {
      if (exact.at(k, n) == 0) {
        EXPECT_EQ(x.at(k, n), 0); // no cell, no variation
        continue;
      }
      double relative = x.at(k, n) / exact.at(k, n) - 1;
      deviation.add(relative);
      neighbours.add(relative * previous);
      previous = relative;
    }
  // Conductances are multiples of 1 / Z, Z = floor(127 / (1 + 4 sigma)).
  double z = std::floor(127 / (1 + 4 * sigma));
  double variance = sigma * sigma + 1 / (12 * z * z);
  double count = deviation.count;
  EXPECT_LT(std::abs(deviation.mean() / std::sqrt(variance / count)), 4);
  EXPECT_LT(std::abs(zScore(deviation.variance() * (count - 1) / variance,
                            count - 1)),
            4);
  EXPECT_LT(std::abs(neighbours.mean() / variance * std::sqrt(count)), 4);
}

// With one exponent for all devices the digital factor undoes drift.
TEST(Analog, GlobalDriftCompensation) {
  auto test = repeatedVector(120, 30, 1);
  std::string cells = R"("cells": {"drift": 0.05, "compensation": )";
  DeviceOptions options;
  options.mode = "analog";
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  double left = std::pow((1e6 + 20) / 20, -0.05);
  for (bool compensated : {false, true}) {
    options.target =
        "{" + cells + (compensated ? R"("global"}})" : R"("none"}})");
    options.age = 1e6;
    std::string error;
    std::vector<uint8_t> bytes = runOn(*test, options, error);
    ASSERT_EQ(error, "");
    for (uint32_t n = 0; n < 30; ++n) {
      float value;
      memcpy(&value, bytes.data() + n * 4, 4);
      double expected = exact.at(0, n) * (compensated ? 1 : left);
      // A conductance has 127 codes: half of one is its error.
      EXPECT_NEAR(value, expected, 0.005 * std::abs(exact.at(0, n)) + 0.5);
    }
  }
}

TEST(Analog, FlickerIsDrawnPerRead) {
  constexpr uint32_t images = 4000;
  auto test = repeatedVector(200, 40, images);
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  Outputs x = runMatrix(
      *test, R"({"noise": {"read": 0.01}, "cells": {"flicker": 0.004}})");
  std::vector<double> mean(40), sigma(40);
  double f = 0.004 * std::sqrt(std::log((20 + 250e-9) / 500e-9));
  for (uint32_t n = 0; n < 40; ++n) {
    mean[n] = exact.at(0, n);
    sigma[n] = std::hypot(0.01, f) * std::sqrt(squareSum(*test, n));
  }
  expectNormal(x, images, mean, sigma);
}

TEST(Analog, ConverterOffsetAndGain) {
  constexpr uint32_t columns = 600;
  auto test = repeatedVector(40, columns, 3);
  Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
  Outputs offset = runMatrix(*test, noise(R"("adc_offset": 500)"));
  Outputs gain = runMatrix(*test, noise(R"("adc_gain": 0.1)"));
  Moments offsets, gains;
  for (uint32_t n = 0; n < columns; ++n) {
    offsets.add((offset.at(0, n) - exact.at(0, n)) * 256 / 500);
    // Small sums would show the rounding.
    if (std::abs(exact.at(0, n)) > 50)
      gains.add((gain.at(0, n) / exact.at(0, n) - 1) / 0.1);
    // Static: every image sees the same.
    EXPECT_EQ(offset.at(0, n), offset.at(2, n));
    EXPECT_EQ(gain.at(0, n), gain.at(2, n));
  }
  for (const Moments &m : {offsets, gains}) {
    EXPECT_GT(m.count, 100);
    EXPECT_LT(std::abs(m.mean() * std::sqrt(m.count)), 4);
    EXPECT_LT(std::abs(zScore(m.variance() * (m.count - 1), m.count - 1)), 4);
  }
}

// Calibrated converters leave what one conversion rounds, several times in
// sliced inputs.
TEST(Analog, CalibrationTakesGainAndOffsetBack) {
  auto test = repeatedVector(60, 200, 1);
  test->blocks[0].gain = 4;
  test->layer.adc_lo = -8192;
  test->layer.adc_hi = 8191;
  for (const char *input : {"", R"("slice_bits": 3, "slice_gain": 0.25)"}) {
    auto run = [&](const char *adc) {
      return runMatrix(
          *test, std::string(R"({"input": {)") + input + R"(}, "adc": {)" +
                     adc +
                     R"(}, "noise": {"adc_offset": 40, "adc_gain": 0.05}})");
    };
    Outputs exact = runMatrix(*test, "{}", 0, 0, "exact");
    Outputs raw = run(""), calibrated = run(R"("calibration_reads": 5000)");
    double worst = 0, rest = 0;
    for (uint32_t n = 0; n < 200; ++n) {
      worst = std::max(worst, std::abs(double(raw.at(0, n)) - exact.at(0, n)));
      rest = std::max(rest,
                      std::abs(double(calibrated.at(0, n)) - exact.at(0, n)));
    }
    EXPECT_GT(worst, 5);
    // Half a code per conversion, weighed 1 + 8 + 64 at 64 codes per unit.
    EXPECT_LT(rest, 73 * 0.5 / 64 + 0.1);
  }
}

TEST(Analog, TrialsAndSeedsAreDifferentChips) {
  auto test = repeatedVector(50, 50, 1);
  for (const char *effect :
       {R"("read": 0.02)", R"("static": 0.05)", R"("adc_noise": 100)",
        R"("adc_offset": 100)", R"("adc_gain": 0.1)"}) {
    Outputs first = runMatrix(*test, noise(effect), 1, 0);
    EXPECT_EQ(first.values, runMatrix(*test, noise(effect), 1, 0).values);
    EXPECT_NE(first.values, runMatrix(*test, noise(effect), 1, 1).values);
    EXPECT_NE(first.values, runMatrix(*test, noise(effect), 2, 0).values);
    EXPECT_NE(first.values,
              runMatrix(*test, noise(effect), uint64_t(1) << 32 | 1, 0).values);
  }
}

static const char *const everything =
    R"({"noise": {"read": 0.03, "static": 0.06, "adc_offset": 0.4,
                  "adc_gain": 0.03, "adc_noise": 0.5}})";

static const char *const columnEffects =
    R"({"array": {"columns": 4096}, "noise": {"adc_offset": 1, "adc_noise": 0.3},
        "lines": {"compression": 0.2, "spread": 0.3, "attenuation": 0.5,
                  "curve": "exponential", "headroom": 0.9},
        "adc": {"columns_per_adc": 3, "calibration_reads": 20}})";
static const char *const cellEffects =
    R"({"array": {"cell_lo": -3, "cell_hi": 3}, "noise": {"read": 0.03},
        "cells": {"model": "pcm", "on_off": 30, "stuck_on": 0.01,
                  "stuck_off": 0.02, "faults": [[0, -1, 2, 1]], "age": 1e5,
                  "compensation": "global"}})";
static const char *const converterEffects =
    R"({"noise": {"static": 0.1},
        "cells": {"mapping": "offset", "distribution": "lognormal"},
        "lines": {"compression": 0.3, "full_scale": 300},
        "adc": {"architecture": "sar", "capacitor_mismatch": 0.1,
                "amplifier_gain": 50}})";

static const char *const wireEffects =
    R"({"input": {"slice_bits": 2, "accumulation": "analog"},
        "noise": {"read": 0.05, "static": 0.1},
        "lines": {"wire_resistance": 30, "cell_conductance": 3e-5}})";
static const char *const pulseEffects =
    R"({"input": {"jitter": 0.7}, "noise": {"read": 0.05, "static": 0.04},
        "lines": {"wire_resistance": 3, "cell_conductance": 3e-5}})";
static const char *const plainPulses =
    R"({"input": {"jitter": 1}, "noise": {"read": 0.02}})";
static const char *const readEffects =
    R"({"input": {"slice_bits": 3}, "noise": {"read": 0.05, "adc_noise": 0.4},
        "lines": {"wire_resistance": 3, "cell_conductance": 3e-5}})";

TEST(Analog, WithoutEffectsEqualsExact) {
  std::mt19937 random(20);
  for (int i = 0; i < 40; ++i) {
    auto test = randomLayer(random);
    DeviceOptions options;
    options.mode = "analog";
    // Words alone change nothing; neither do devices that conduct what they
    // should.
    options.target =
        R"({"noise": {"read": 0, "static": 0.0},
            "cells": {"mapping": "offset", "distribution": "uniform",
                      "drift_start": 5, "age": 1e6, "compensation": "global"},
            "lines": {"curve": "exponential", "spread": 0.3,
                      "wire_resistance": 0, "temperature": 400},
            "input": {"slice_bits": 2, "accumulation": "analog"},
            "adc": {"architecture": "sar", "columns_per_adc": 4}})";
    std::string error;
    EXPECT_EQ(runOn(*test, options, error), expectedOutput(*test, false));
    EXPECT_EQ(error, "");
  }
}

/// Runs a layer on every instruction set of the machine.
static void expectSameBits(const TestLayer &test, DeviceOptions options) {
  options.isa = "portable";
  std::string error;
  std::vector<uint8_t> expected = runOn(test, options, error);
  for (const char *isa : {"avx2", "avxvnni", "avx512"}) {
    if (!cim::sim::isaSupported(isa))
      continue;
    options.isa = isa;
    ASSERT_EQ(runOn(test, options, error), expected)
        << isa << " " << describe(test);
  }
  EXPECT_EQ(error, "");
}

TEST(Analog, SameBitsOnEveryInstructionSet) {
  std::mt19937 random(21);
  const char *effects[] = {everything,
                           R"({"noise": {"read": 0.1}})",
                           R"({"noise": {"static": 0.1, "read": 0.05,
                                         "philox_rounds": 10}})",
                           R"({"noise": {"adc_noise": 1, "adc_gain": 0.1}})",
                           columnEffects,
                           cellEffects,
                           converterEffects,
                           readEffects,
                           wireEffects,
                           pulseEffects,
                           plainPulses};
  for (int i = 0; i < 220; ++i) {
    auto test = randomLayer(random);
    DeviceOptions options;
    options.mode = "analog";
    options.target = effects[i % 11];
    options.seed = i;
    expectSameBits(*test, options);
  }
}

// Maps that go through the kernels in bands; channels in whole groups of
// eight, whose squares come from tables.
TEST(Analog, SameBitsOnLargeMaps) {
  std::mt19937 random(24);
  for (uint32_t channels : {8, 24}) {
    auto test = matrixLayer(random, 9 * channels, 21, 1);
    cim_layer &l = test->layer;
    l.kernel_h = l.kernel_w = 3;
    l.pad_top = l.pad_left = 1;
    l.stride_h = channels == 8 ? 1 : 2;
    l.in_c = channels;
    l.in_h = 101;
    l.out_h = (l.in_h - 1) / l.stride_h + 1;
    l.in_w = l.out_w = 70;
    test->images = 2;
    test->input.resize(size_t(test->images) * l.in_h * l.in_w * channels);
    for (int8_t &q : test->input)
      q = int8_t(int(random() % 127) - 63);
    l.in_type = CIM_I8;
    test->finish();
    DeviceOptions options;
    options.mode = "analog";
    for (const char *target : {R"({"noise": {"read": 0.2, "adc_noise": 0.5}})",
                               readEffects, wireEffects, plainPulses}) {
      options.target = target;
      expectSameBits(*test, options);
    }
  }
}

// Noise belongs to (image, layer, block, window, column): streams that are cut
// differently, or start elsewhere, agree.
TEST(Analog, CutsDoNotMatter) {
  std::mt19937 random(22);
  const cim_device_api &api = *cim::rt::simulatorApi();
  const char *effects[] = {everything, readEffects, wireEffects, pulseEffects};
  for (int i = 0; i < 20; ++i) {
    auto test = randomLayer(random, {20, 40, 6});
    Device device;
    DeviceOptions options;
    options.mode = "analog";
    options.target = effects[i % 4];
    ASSERT_EQ(prepareOn(device, *test, options), "");
    std::vector<uint8_t> whole(test->outputBytes()), cut(test->outputBytes());
    uint64_t in = test->input.size() / test->images;
    uint64_t out = whole.size() / test->images;
    cim_stream stream = {sizeof stream,      0,           1000, test->images,
                         test->input.data(), whole.data()};
    ASSERT_EQ(api.stream(device.device, &stream), CIM_OK);
    for (uint32_t image = 0; image < test->images; ++image) {
      stream = {sizeof stream,
                0,
                1000 + image,
                1,
                test->input.data() + image * in,
                cut.data() + image * out};
      ASSERT_EQ(api.stream(device.device, &stream), CIM_OK);
    }
    EXPECT_EQ(whole, cut);
  }
}

// Where placement cuts columns changes no noise.
TEST(Analog, ColumnCutsDoNotMatter) {
  std::mt19937 random(23);
  auto test = matrixLayer(random, 30, 50, 7);
  cim_block whole = test->blocks[0];
  Outputs expected =
      runMatrix(*test, R"({"noise": {"read": 0.1, "adc_noise": 2}})");
  for (uint32_t at : {1u, 16u, 23u, 49u}) {
    cim_block left = whole, right = whole;
    left.n_count = at;
    right.n += at;
    right.column += at;
    right.n_count -= at;
    test->blocks = {left, right};
    test->finish();
    EXPECT_EQ(
        runMatrix(*test, R"({"noise": {"read": 0.1, "adc_noise": 2}})").values,
        expected.values);
  }
}

TEST(Analog, AbsurdParametersStayDefined) {
  auto test = repeatedVector(50, 20, 2);
  test->layer.adc_lo = -1;
  test->layer.adc_hi = 0;
  Outputs x =
      runMatrix(*test, noise(R"("read": 1000, "static": 10, "adc_offset": 1e6,
                      "adc_gain": 100, "adc_noise": 1e6)"));
  for (float value : x.values)
    EXPECT_TRUE(value == 0 || value == -1.0f / 256) << value;
  x = runMatrix(*test, R"({"array": {"columns": 64},
      "noise": {"read": 1e6, "static": 1e6, "adc_gain": 1e6, "adc_noise": 1e6},
      "cells": {"model": "pcm", "age": 1e15, "on_off": 1.001, "stuck_on": 0.5,
                "stuck_off": 0.5, "compensation": "global"},
      "lines": {"attenuation": 1, "compression": 1e6, "spread": 1e6,
                "headroom": 1e-6},
      "adc": {"architecture": "sar", "capacitor_mismatch": 1000,
              "amplifier_gain": 1e-6}})");
  for (float value : x.values)
    EXPECT_TRUE(std::isfinite(value)) << value;
}
