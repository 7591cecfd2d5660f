// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines and converters, one effect at a time, against closed forms
// (docs/Physics.md). Formulas are written once more here, in double.

#include "Simulator/Columns.h"
#include "Moments.h"
#include "RandomLayer.h"

#include <algorithm>

using namespace cim::sim;
using namespace cim::test;

namespace {
/// One block on a wide array.
struct Chip {
  Config config;
  cim_layer layer = {};
  cim_block block = {};
  std::string problem;

  explicit Chip(const std::string &members, int bits = 6, uint32_t count = 400)
      : columns(count) {
    std::string text = R"({"array": {"columns": 400}, )" + members + "}";
    EXPECT_EQ(parseConfig(text.c_str(), config), CIM_OK) << text;
    layer.adc_hi = (1 << (bits - 1)) - 1;
    layer.adc_lo = -layer.adc_hi - 1;
    block.n_count = columns;
    block.gain = 0.01f;
    block.array = 2;
  }

  ColumnTables tables(uint32_t array = 2) {
    Columns made(config, {77, 88}, layer);
    problem = made.problem();
    cim_block moved = block;
    moved.array = array;
    return made.tablesOf(moved, moved.gain);
  }

  /// What `z` on every line becomes at the converters.
  std::vector<float> bent(float z) {
    ColumnTables t = tables();
    std::vector<float> x;
    for (uint32_t n = 0; n < columns; ++n)
      x.push_back(t.bend(n, z));
    return x;
  }

  uint32_t columns;
};
} // namespace

TEST(Columns, Attenuation) {
  std::vector<float> x = Chip(R"("lines": {"attenuation": 0.2})").bent(-10);
  for (uint32_t n = 0; n < 400; ++n)
    EXPECT_NEAR(x[n], -10 * (1 - 0.2 * (n + 1) / 400), 1e-5);
}

TEST(Columns, RationalCompression) {
  Chip chip(R"("lines": {"compression": 0.1})");
  for (double z : {-40.0, -3.0, 0.0, 1e-3, 31.0, 1e30})
    EXPECT_NEAR(chip.bent(float(z))[5], z / (1 + 0.1 * std::abs(z) / 32),
                1e-6 * std::abs(z));
}

TEST(Columns, ExponentialCompression) {
  Chip chip(R"("lines": {"compression": 0.5, "curve": "exponential"})");
  for (double z : {-40.0, -3.0, 0.0, 1e-3, 0.1, 31.0, 1e4}) {
    double k = 0.5 / 32, expected = -std::expm1(-k * std::abs(z)) / k;
    // Below u = 2^-12 the curve is taken as straight: u / 2 off.
    EXPECT_NEAR(chip.bent(float(z))[5], z < 0 ? -expected : expected,
                1.3e-4 * std::abs(z));
  }
}

TEST(Columns, CompressionDiffersBetweenColumns) {
  Chip chip(R"("lines": {"compression": 0.1, "spread": 0.2})", 6, 4000);
  Sample k;
  for (float x : chip.bent(32))
    k.values.push_back(32.0 / x - 1);
  k.expectMean(0.1);
  k.expectDeviation(0.02);
  k.expectDistribution([](double v) { return normalCdf((v - 0.1) / 0.02); });
  k.expectIndependent();
}

TEST(Columns, FullScaleAndHeadroom) {
  // 1000 input codes times levels are 10 codes at this gain.
  Chip own(R"("lines": {"compression": 0.1, "full_scale": 1000})");
  EXPECT_NEAR(own.bent(20)[0], 20 / (1 + 0.1 * 2), 1e-5);
  Chip clipped(R"("lines": {"headroom": 0.5})");
  EXPECT_EQ(clipped.bent(20)[0], 16);
  EXPECT_EQ(clipped.bent(-20)[0], -16);
  EXPECT_EQ(clipped.bent(15)[0], 15);
  Chip line(R"("lines": {"headroom": 0.5, "full_scale": 1000})");
  EXPECT_NEAR(line.bent(-20)[0], -5, 1e-6);
}

//===----------------------------------------------------------------------===//
// Converters
//===----------------------------------------------------------------------===//

static float codeOf(const ColumnTables &tables, uint32_t column, float x) {
  return tables.compare(column, x);
}

TEST(Columns, PerfectDacsAreIdeal) {
  for (const char *architecture : {"ramp", "sar", "sar-split"}) {
    Chip chip(std::string(R"("adc": {"architecture": ")") + architecture +
              R"(", "amplifier_gain": 300})");
    for (cim_rounding rounding : {CIM_NEAREST_EVEN, CIM_FLOOR, CIM_MID_RISE}) {
      chip.layer.adc_rounding = rounding;
      ColumnTables t = chip.tables();
      ASSERT_EQ(chip.problem, "");
      for (float x = -40.3f; x < 40; x += 0.37f) {
        float code =
            rounding == CIM_NEAREST_EVEN ? std::nearbyint(x) : std::floor(x);
        EXPECT_EQ(codeOf(t, 9, x), std::min(std::max(code, -32.0f), 31.0f))
            << x;
      }
      EXPECT_EQ(codeOf(t, 9, NAN), -32);
      EXPECT_EQ(codeOf(t, 9, INFINITY), 31);
    }
  }
}

/// Threshold of code m over many converters.
static Sample thresholds(const ColumnTables &t, int bits, int m) {
  Sample s;
  for (const Thresholds &list : t.thresholds)
    s.values.push_back((*list)[size_t(m + (1 << (bits - 1)) - 1)]);
  return s;
}

// A level 2^i is C[i] / Cr of half the range; both deviate.
TEST(Columns, CapacitorMismatch) {
  Chip chip(R"("adc": {"architecture": "sar", "capacitor_mismatch": 0.01})", 6,
            4000);
  ColumnTables t = chip.tables();
  for (int i : {0, 2, 4})
    for (int sign : {1, -1}) {
      double level = sign * (1 << i);
      Sample s = thresholds(t, 6, int(level));
      s.expectMean(level - 0.5);
      double variance = std::exp2(i) + std::exp2(2 * i) / 32;
      s.expectDeviation(0.01 * std::sqrt(variance));
      s.expectIndependent();
    }
}

// Charge balance of the two nodes that the bridge joins, solved in double.
TEST(Columns, SplitDac) {
  for (uint32_t bits : {2u, 3u, 6u, 9u}) {
    Chip chip(
        R"("adc": {"architecture": "sar-split", "capacitor_mismatch": 0.002,
                   "columns_per_adc": 4})",
        int(bits));
    ColumnTables t = chip.tables();
    ASSERT_EQ(chip.problem, "");
    // So little that no step is lost, and the search finds every threshold.
    uint32_t low = bits / 2;
    for (uint32_t column = 0; column < 400; ++column) {
      std::vector<double> c;
      for (uint32_t i = 0; i <= bits; ++i) {
        double nominal = i < low        ? std::exp2(i)
                         : i + 1 < bits ? std::exp2(i - low)
                         : i < bits     ? 1
                                        : std::exp2(low) / (std::exp2(low) - 1);
        c.push_back(nominal + 0.002 * std::sqrt(nominal) *
                                  normalAt({77, 88}, Draw::Capacitor,
                                           column / 4, i, 2, 0));
      }
      double bridge = c[bits], lows = c[bits - 1], highs = 0;
      for (uint32_t i = 0; i + 1 < bits; ++i)
        (i < low ? lows : highs) += c[i];
      int half = 1 << (bits - 1);
      for (int m = 0; m < half; ++m) {
        double chargeLow = 0, chargeHigh = 0;
        for (uint32_t i = 0; i + 1 < bits; ++i)
          if (m >> i & 1)
            (i < low ? chargeLow : chargeHigh) += c[i];
        // Seen from the upper node, the lower one is a capacitor in series.
        double series = bridge * lows / (bridge + lows);
        double level = (chargeHigh + chargeLow * bridge / (bridge + lows)) /
                       (highs + series);
        const std::vector<float> &list = *t.thresholds[column];
        ASSERT_NEAR(list[size_t(half - 1 + m)], level * half - 0.5, 1e-4);
        ASSERT_NEAR(list[size_t(half - 1 - m)], -level * half - 0.5, 1e-4);
      }
    }
  }
}

TEST(Columns, RampSharesItsDac) {
  Chip chip(R"("adc": {"architecture": "ramp", "capacitor_mismatch": 0.3})");
  ColumnTables one = chip.tables(0), other = chip.tables(1);
  EXPECT_EQ(one.thresholds[0], one.thresholds[399]);
  EXPECT_NE(*one.thresholds[0], *other.thresholds[0]);
  const std::vector<float> &t = *one.thresholds[0];
  EXPECT_TRUE(std::is_sorted(t.begin(), t.end()));
}

// The thresholds of a SAR converter against the search itself, bit by bit, on
// DACs so bad that codes are missing.
TEST(Columns, SarSearchesBitByBit) {
  Chip sar(R"("adc": {"architecture": "sar", "capacitor_mismatch": 0.6})");
  Chip ramp(R"("adc": {"architecture": "ramp", "capacitor_mismatch": 0.6})");
  // The ramp of array 2 has the DAC of its converter 0, made monotone; the raw
  // levels come from the capacitors.
  float c[7];
  for (uint32_t i = 0; i < 7; ++i) {
    float nominal = float(1 << std::min(i, 5u));
    float n = normalAt({77, 88}, Draw::Capacitor, 0, i, 2, 0);
    c[i] = std::max(nominal + 0.6f * std::sqrt(nominal) * n, nominal * 0.01f);
  }
  auto level = [&](int m) {
    float sum = 0;
    for (int i = 0; i < 6; ++i)
      if (std::abs(m) >> i & 1)
        sum = sum + c[i];
    float l = sum / c[6] * 32;
    return (m < 0 ? -l : l) - 0.5f;
  };
  ColumnTables t = sar.tables(), r = ramp.tables();
  int missing = 0;
  for (float x = -70; x < 70; x += 0.11f) {
    int found = 0, first = 0;
    for (int bit = 32; bit; bit /= 2)
      if (x >= level(found + bit - 32))
        found += bit;
    while (first < 63 && x >= level(first - 31))
      ++first;
    EXPECT_EQ(codeOf(t, 0, x), float(found - 32)) << x;
    EXPECT_EQ(codeOf(r, 0, x), float(first - 32)) << x;
    missing += found != first;
  }
  EXPECT_GT(missing, 0);
}

TEST(Columns, FiniteAmplifierGain) {
  Chip chip(R"("adc": {"architecture": "sar", "amplifier_gain": 40})");
  ColumnTables t = chip.tables();
  for (int m : {-31, -5, 0, 12, 31})
    EXPECT_NEAR(thresholds(t, 6, m).values[0],
                m / (1 + (1 + std::abs(m) / 32.0) / 100) - 0.5, 1e-5);
  Chip split(R"("adc": {"architecture": "sar-split", "amplifier_gain": 40})");
  ColumnTables other = split.tables();
  for (int m : {-31, 12})
    EXPECT_NEAR(thresholds(other, 6, m).values[0], m / 1.01 - 0.5, 1e-5);
}

TEST(Columns, IntegralNonlinearity) {
  std::string list = "0.25";
  for (int j = 1; j < 15; ++j)
    list += j == 7 ? ", -3" : ", 0.25";
  Chip chip(R"("adc": {"inl": [)" + list + "]}", 4);
  ColumnTables t = chip.tables();
  EXPECT_EQ(codeOf(t, 0, 2.6f), 2);
  EXPECT_EQ(codeOf(t, 0, 2.8f), 3);
  // The threshold of code 0 lies below those of three codes: the ramp's counter
  // has passed them before.
  EXPECT_EQ(codeOf(t, 0, -0.3f), 0);
  EXPECT_EQ(codeOf(t, 0, -1.3f), -2);
}

// Good converters leave one threshold to compare with; any others do not lie
// outside the guess.
TEST(Columns, SearchesBeginNearby) {
  for (float mismatch : {0.01f, 0.1f, 3.0f}) {
    Chip chip(R"("adc": {"architecture": "ramp", "capacitor_mismatch": )" +
              std::to_string(mismatch) + "}");
    std::vector<float> t = *chip.tables().thresholds[0];
    Guess guess = {32};
    guess.include(t);
    if (mismatch == 0.01f)
      EXPECT_EQ(guess.below + guess.above, 1u);
    std::vector<float> probes = {-1e30f, 1e30f};
    for (float threshold : t)
      for (float x : {threshold, std::nextafter(threshold, -100.0f)})
        probes.push_back(x);
    for (float x : probes) {
      int reached = int(std::upper_bound(t.begin(), t.end(), x) - t.begin());
      int i = int(std::floor(std::min(std::max(x + 32, 0.0f), 63.0f)));
      EXPECT_GE(reached, i - int(guess.below)) << x;
      EXPECT_LE(reached, i + int(guess.above)) << x;
      EXPECT_EQ(codeOf(t, x), float(reached - 32)) << x;
    }
  }
}

TEST(Columns, SharedConverters) {
  Chip chip(R"("adc": {"columns_per_adc": 8, "architecture": "sar",
               "capacitor_mismatch": 0.1})",
            6, 4000);
  ColumnTables t = chip.tables();
  std::vector<float> offsets =
      converterDraws(chip.config, {7, 8}, chip.block, Draw::AdcOffset, 0, 0.5f);
  Sample each;
  for (uint32_t n = 0; n < 4000; ++n) {
    EXPECT_EQ(offsets[n], offsets[n / 8 * 8]);
    EXPECT_EQ(t.thresholds[n], t.thresholds[n / 8 * 8]);
    if (n % 8 == 0)
      each.values.push_back(offsets[n]);
  }
  each.expectMean(0);
  each.expectDeviation(0.5);
  each.expectIndependent();
}

// Errors of a straight line through N noisy, rounded codes.
TEST(Columns, MeasuredGainAndOffset) {
  constexpr double reads = 64, range = 16; // half of 32 codes
  for (cim_rounding rounding : {CIM_NEAREST_EVEN, CIM_FLOOR, CIM_MID_RISE}) {
    Chip chip(R"("noise": {"adc_offset": 0.8, "adc_gain": 0.05,
                           "adc_noise": 1.5},
                 "adc": {"calibration_reads": 64})",
              6, 4000);
    chip.layer.adc_rounding = rounding;
    Columns made(chip.config, {3, 4}, chip.layer);
    Sample gain, offset;
    std::vector<float> gains = converterDraws(chip.config, {3, 4}, chip.block,
                                              Draw::AdcGain, 1, 0.05f);
    std::vector<float> offsets = converterDraws(chip.config, {3, 4}, chip.block,
                                                Draw::AdcOffset, 0, 0.8f);
    for (uint32_t n = 0; n < 4000; ++n) {
      Measured m = made.measure(chip.block, n);
      gain.values.push_back(m.gain - gains[n]);
      offset.values.push_back(m.offset - offsets[n]);
    }
    double noise = std::sqrt(1.5 * 1.5 + 1.0 / 12);
    gain.expectMean(0);
    gain.expectDeviation(noise / (range * std::sqrt(reads / 3)));
    offset.expectMean(0);
    offset.expectDeviation(noise / std::sqrt(reads));
    offset.expectIndependent();
  }
}

TEST(Columns, DeadConvertersAreNotCorrected) {
  Chip chip(R"("noise": {"adc_offset": 1e6},
               "adc": {"calibration_reads": 8})");
  Columns made(chip.config, {3, 4}, chip.layer);
  Measured m = made.measure(chip.block, 0);
  EXPECT_EQ(m.gain, 1);
  EXPECT_EQ(m.offset, 0);
}

TEST(Columns, WhatConvertersCannotBe) {
  Chip wide(R"("adc": {"architecture": "sar", "capacitor_mismatch": 0.1})", 12);
  Columns made(wide.config, {1, 2}, wide.layer);
  EXPECT_EQ(made.problem(),
            "converters of codes -2048 .. 2047: capacitor mismatch, amplifier "
            "gain and INL take binary ones of at most 10 bits");
  Chip short_(R"("adc": {"inl": [0, 0, 0]})");
  Columns other(short_.config, {1, 2}, short_.layer);
  EXPECT_EQ(other.problem(), "adc.inl has 3 values, a converter of 6 bits has "
                             "63 thresholds");
  Chip one(R"("adc": {"inl": [0.25]})", 1);
  EXPECT_EQ(codeOf(one.tables(), 0, -0.3f), -1);
  EXPECT_EQ(codeOf(one.tables(), 0, -0.2f), 0);
}
