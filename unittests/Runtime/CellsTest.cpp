// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the cells of a chip conduct, one effect at a time, against closed forms
// (docs/Physics.md). Formulas are written once more here, in double.

#include "Simulator/Cells.h"
#include "Moments.h"
#include "Simulator/Functions.h"

using namespace cim::sim;
using namespace cim::test;

namespace {
/// Cells of one level on many rows and columns of an array.
struct Chip {
  Config config;
  std::string text;

  explicit Chip(const std::string &members, int levels = 7) {
    text = "{\"array\": {\"cell_lo\": " + std::to_string(-levels) +
           ", \"cell_hi\": " + std::to_string(levels) + "}, " + members + "}";
    EXPECT_EQ(parseConfig(text.c_str(), config), CIM_OK) << text;
  }

  static constexpr uint32_t columns = 500, rows = 60;

  /// Conductances, or variances, in row order.
  Sample of(int level, double age = 0, bool variances = false) const {
    Cells cells(config, {1234, 5678}, float(age));
    std::vector<int8_t> row(columns, int8_t(level));
    Sample sample;
    for (uint32_t r = 0; r < rows; ++r) {
      std::vector<float> c(columns), u(columns);
      cells.add({row.data(), 3, r, 7, columns}, c.data(), u.data());
      const std::vector<float> &wanted = variances ? u : c;
      sample.values.insert(sample.values.end(), wanted.begin(), wanted.end());
    }
    return sample;
  }
};

/// max(N(0, sigma), 0): a device that should conduct nothing.
struct Rectified {
  double mean, variance;
  explicit Rectified(double sigma)
      : mean(sigma / std::sqrt(2 * M_PI)),
        variance(sigma * sigma * (0.5 - 0.5 / M_PI)) {}
};
} // namespace

static std::string noise(const char *rest) {
  return std::string(R"("noise": {"static": 0.05}, "cells": {)") + rest + "}";
}

TEST(Cells, Functions) {
  for (double y = 1e-30; y < 1e30; y *= 1.0137) {
    double exact = std::log2(double(float(y)));
    EXPECT_NEAR(log2Of(float(y)), exact, 2e-7 * std::max(1.0, std::abs(exact)));
  }
  for (double y = -120; y < 120; y += 0.0137)
    EXPECT_NEAR(exp2Of(float(y)) / std::exp2(double(float(y))), 1, 3e-7);
  EXPECT_EQ(log2Of(1), 0);
  EXPECT_EQ(exp2Of(0), 1);
  EXPECT_EQ(exp2Of(-1e9f), exp2Of(-126));
}

TEST(Cells, NormalVariation) {
  Sample s = Chip(noise("")).of(3);
  s.expectMean(3);
  s.expectDeviation(0.15);
  s.expectDistribution([](double c) { return normalCdf((c - 3) / 0.15); });
  s.expectIndependent();
  s.expectIndependent(Chip::columns); // the same column of the next row
}

TEST(Cells, LognormalVariation) {
  Chip chip(
      R"("noise": {"static": 0.4}, "cells": {"distribution": "lognormal"})");
  Sample s = chip.of(-2);
  s.expectMean(-2);
  s.expectDeviation(0.8);
  double tau = std::sqrt(std::log(1 + 0.16));
  s.expectDistribution([&](double c) {
    return normalCdf((std::log(-c / 2) + tau * tau / 2) / tau);
  });
}

TEST(Cells, UniformVariation) {
  Chip chip(
      R"("noise": {"static": 0.1}, "cells": {"distribution": "uniform"})");
  Sample s = chip.of(5);
  s.expectMean(5);
  s.expectDeviation(0.5);
  double half = 0.5 * std::sqrt(3);
  s.expectDistribution([&](double c) { return (c - 5 + half) / (2 * half); });
  for (double c : s.values)
    EXPECT_LE(std::abs(c - 5), half * 1.00001);
}

TEST(Cells, AdditiveVariation) {
  Chip chip(noise(R"("dependence": "additive")"));
  Rectified other(0.05 * 7);
  for (int level : {4, -7}) {
    Sample s = chip.of(level);
    s.expectMean(level > 0 ? level - other.mean : level + other.mean);
    s.expectDeviation(std::sqrt(0.05 * 7 * 0.05 * 7 + other.variance));
  }
  Sample zero = chip.of(0);
  zero.expectMean(0);
  zero.expectDeviation(std::sqrt(2 * other.variance));
}

TEST(Cells, InverseVariation) {
  Chip chip(R"("noise": {"static": 0.01}, "cells": {"dependence": "inverse"})");
  for (int level : {2, 7}) {
    Sample s = chip.of(level);
    s.expectMean(level);
    s.expectDeviation(0.01 * 7 * 7 / level);
  }
  for (double c : chip.of(0).values)
    EXPECT_EQ(c, 0);
}

TEST(Cells, OnOffRatioCancelsButScatters) {
  Sample quiet = Chip(R"("cells": {"on_off": 10})").of(3);
  for (double c : quiet.values)
    EXPECT_NEAR(c, 3, 1e-5);
  Chip chip(noise(R"("on_off": 10)"));
  double floor = 0.7, span = 0.9;
  Sample zero = chip.of(0), five = chip.of(5);
  zero.expectMean(0);
  zero.expectDeviation(0.05 * std::sqrt(2) * floor / span);
  five.expectMean(5);
  five.expectDeviation(0.05 * std::hypot(floor + 5 * span, floor) / span);
}

TEST(Cells, OffsetColumn) {
  Chip chip(noise(R"("mapping": "offset")"));
  for (int level : {-6, 0, 7}) {
    Sample s = chip.of(level);
    s.expectMean(level);
    s.expectDeviation(0.05 * (level + 7));
  }
  Sample leaking = Chip(noise(R"("mapping": "offset", "on_off": 5)")).of(-7);
  leaking.expectMean(-7);
  leaking.expectDeviation(0.05 * (14.0 / 5) / 0.8);
}

TEST(Cells, StuckDevices) {
  Chip chip(R"("cells": {"stuck_on": 0.1, "stuck_off": 0.2})", 1);
  Sample s = chip.of(1);
  std::map<double, double> counts;
  for (double c : s.values)
    counts[c] += 1;
  // Device 0 conducts but for being stuck off; device 1 only when stuck on.
  double conducts = 0.8, other = 0.1, total = double(s.values.size());
  std::map<double, double> shares = {
      {1, conducts * (1 - other)},
      {-1, (1 - conducts) * other},
      {0, conducts * other + (1 - conducts) * (1 - other)}};
  ASSERT_EQ(counts.size(), 3u);
  for (auto [value, share] : shares)
    EXPECT_NEAR(counts[value], total * share,
                limit * std::sqrt(total * share * (1 - share)));
  Sample all = Chip(R"("cells": {"stuck_on": 1})", 1).of(1);
  for (double c : all.values)
    EXPECT_EQ(c, 0); // both devices of every cell
}

TEST(Cells, FaultMap) {
  Chip chip(noise(R"("faults": [[3, 5, -1, 2], [3, -1, 9, -4], [3, 5, 10, 6],
                                [2, 0, 0, 0]])"));
  Sample s = chip.of(1);
  auto at = [&](uint32_t row, uint32_t column) {
    return s.values[row * Chip::columns + column - 7];
  };
  EXPECT_EQ(at(5, 7), 2);
  EXPECT_EQ(at(5, 9), 2);  // what names the row wins
  EXPECT_EQ(at(5, 10), 6); // the later entry wins
  EXPECT_EQ(at(6, 9), -4);
  EXPECT_NE(at(6, 10), 1); // varies
}

static double sonosSigma(double a, double b, double x) {
  return a * (1 - std::exp(-1600 * x / b));
}

TEST(Cells, ProgrammingNoise) {
  struct {
    const char *model;
    double age, largest;
    std::function<double(double)> sigma;
  } const cases[] = {
      {"pcm", 0, 25,
       [](double x) { return 0.26348 + 1.965 * x - 1.1731 * x * x; }},
      {"pcm-hermes-1", 0, 10.35,
       [](double x) {
         return 0.15781817 + 2.32443916 * x - 2.16310839 * x * x +
                0.68841818 * x * x * x;
       }},
      {"pcm-hermes-2", 0, 20.7,
       [](double x) {
         return 0.16603222 + 4.71806468 * x - 8.48101252 * x * x +
                4.68961419 * x * x * x;
       }},
      {"pcm-joshi", 0, 25,
       [](double x) {
         double g = 25 * x;
         return -0.00178767 * g * g + 0.07585724 * g + 0.28638599;
       }},
      {"reram-milo", 0, 225,
       [](double x) { return -0.009107 * 225 * x + 4.782321; }},
      {"reram-cmo", 0, 88.2,
       [](double x) { return 0.0112185391 + 0.01129027418 * 88.2 * x; }},
      {"reram-wan", 0, 40,
       [](double x) {
         return 0.348 + 16.03 * x - 43.853 * x * x + 45.393 * x * x * x -
                16.815 * x * x * x * x;
       }},
      {"reram-wan", 86400, 40,
       [](double x) {
         return 0.701 + 22.086 * x - 50.773 * x * x + 47.095 * x * x * x -
                16.458 * x * x * x * x;
       }},
      {"reram-wan", 1e9, 40,
       [](double x) {
         return 0.782 + 20.274 * x - 43.507 * x * x + 37.062 * x * x * x -
                11.934 * x * x * x * x;
       }},
      {"sonos", 0, 1600,
       [](double x) { return sonosSigma(19.88665, 176.3115, x); }},
  };
  for (const auto &test : cases) {
    SCOPED_TRACE(test.model);
    Chip chip(std::string(R"("cells": {"model": ")") + test.model + "\"}");
    Rectified other(7 * test.sigma(0) / test.largest);
    for (int level : {3, 7}) {
      double sigma = 7 * test.sigma(level / 7.0) / test.largest;
      Sample s = chip.of(level, test.age);
      s.expectMean(level - other.mean);
      s.expectDeviation(std::sqrt(sigma * sigma + other.variance));
    }
  }
  Sample own = Chip(R"("cells": {"program": [0.01, 0, 0.02]})").of(7);
  Rectified zero(0.07);
  own.expectMean(7 - zero.mean);
  own.expectDeviation(std::sqrt(0.21 * 0.21 + zero.variance));
}

// Currents move first, then they scatter: CrossSim's order.
TEST(Cells, SonosDrift) {
  struct {
    double days, a, b;
    std::vector<double> shift;
  } const cases[] = {
      {0.5,
       (19.88665 + 25.59102) / 2,
       (176.3115 + 186.85544) / 2,
       {1.72684e-01 / 2, 5.72552e-02 / 2, -6.85715e-04 / 2, 3.50271e-06 / 2,
        -9.37682e-09 / 2, 1.40575e-11 / 2, -1.19803e-14 / 2, 5.41293e-18 / 2,
        -8.85448e-22 / 2, -1.66869e-25 / 2, 5.95180e-29 / 2}},
      {3,
       31.04318,
       198.90332,
       {-1.75300e-02, 9.76883e-02, -9.63791e-04, 4.55551e-06, -1.22391e-08,
        1.93786e-11, -1.85899e-14, 1.07659e-17, -3.58211e-21, 5.96785e-25,
        -3.30410e-29}},
      {4.25,
       33.76214 * 0.75 + 34.57909 * 0.25,
       204.77023 * 0.75 + 207.34309 * 0.25,
       {4.03338e-02 * 0.75 + 3.19927e-01 * 0.25,
        1.03111e-01 * 0.75 + 1.06596e-01 * 0.25,
        -1.04740e-03 * 0.75 - 1.04054e-03 * 0.25,
        4.83961e-06 * 0.75 + 4.50290e-06 * 0.25,
        -1.28132e-08 * 0.75 - 1.10352e-08 * 0.25,
        1.99484e-11 * 0.75 + 1.56477e-11 * 0.25,
        -1.85139e-14 * 0.75 - 1.27592e-14 * 0.25,
        1.00008e-17 * 0.75 + 5.45513e-18 * 0.25,
        -2.84944e-21 * 0.75 - 7.26841e-22 * 0.25,
        3.01008e-25 * 0.75 - 2.43893e-25 * 0.25,
        1.18747e-29 * 0.75 + 7.14608e-29 * 0.25}},
      {1e6,
       34.57909,
       207.34309,
       {3.19927e-01, 1.06596e-01, -1.04054e-03, 4.50290e-06, -1.10352e-08,
        1.56477e-11, -1.27592e-14, 5.45513e-18, -7.26841e-22, -2.43893e-25,
        7.14608e-29}}};
  Chip chip(R"("cells": {"model": "sonos", "mapping": "offset"})");
  for (const auto &test : cases)
    for (int level : {7, 4, 0, -5}) {
      double current = 1600 * (level + 7) / 14.0, drifted = current;
      for (size_t i = 0; i < test.shift.size(); ++i)
        drifted += test.shift[i] * std::pow(current, i);
      Sample s = chip.of(level, test.days * 86400);
      s.expectMean(drifted * 14 / 1600 - 7);
      s.expectDeviation(14.0 / 1600 * test.a *
                        (1 - std::exp(-drifted / test.b)));
    }
  // At 1600 nA and five days 40.7 nA are lost: twenty standard errors and more.
  Sample young = chip.of(7), old = chip.of(7, 5 * 86400);
  EXPECT_NEAR(old.mean() - young.mean(), -40.7 * 14 / 1600, 0.01);
}

/// Exponents of drift of single devices at level x 14 of 14, from what they
/// conduct early and late.
static Sample exponents(const Chip &chip, int level, double start) {
  constexpr double age = 1e6;
  Sample early = chip.of(level - 7), late = chip.of(level - 7, age), nu;
  for (size_t i = 0; i < early.values.size(); ++i)
    if (late.values[i] > -7) // programming noise may leave nothing
      nu.values.push_back(
          -std::log((late.values[i] + 7) / (early.values[i] + 7)) /
          std::log((age + start) / start));
  return nu;
}

TEST(Cells, Drift) {
  Chip own(R"("cells": {"mapping": "offset", "drift": 0.1,
              "drift_spread": 0.02, "drift_start": 30})");
  Sample nu = exponents(own, 9, 30);
  nu.expectMean(0.1);
  nu.expectDeviation(0.02);
  nu.expectDistribution([](double v) { return normalCdf((v - 0.1) / 0.02); });
  nu.expectIndependent();
  auto clamp = [](double v, double lo, double hi) {
    return std::min(std::max(v, lo), hi);
  };
  for (int level : {2, 6, 14}) {
    double x = level / 14.0, l = std::log(x);
    Sample s = exponents(
        Chip(R"("cells": {"mapping": "offset", "model": "pcm"})"), level, 20);
    s.expectMean(clamp(-0.0155 * l + 0.0244, 0.049, 0.1));
    s.expectDeviation(clamp(-0.0125 * l - 0.0059, 0.008, 0.045));
    s = exponents(
        Chip(R"("cells": {"mapping": "offset", "model": "pcm-hermes-2"})"),
        level, 300);
    s.expectMean(-0.0436 * x * x - 0.0126 * x + 0.0736);
    s.expectDeviation(x < 0.3055 ? clamp(-0.0117 * l - 0.0057, 0.0091, 0.04)
                                 : -0.0118 * x * x + 0.0093 * x + 0.0073);
    s = exponents(
        Chip(R"("cells": {"mapping": "offset", "model": "pcm-hermes-1"})"),
        level, 200);
    s.expectDeviation(x < 0.3039 ? clamp(-0.012 * l - 0.0023, 0.0124, 0.04)
                                 : -0.0165 * x * x + 0.0116 * x + 0.0104);
  }
  Chip cmo(R"("cells": {"mapping": "offset", "model": "reram-cmo"})");
  Sample early = cmo.of(0), late = cmo.of(0, 86400), shift;
  for (size_t i = 0; i < early.values.size(); ++i)
    shift.values.push_back((late.values[i] - early.values[i]) * 88.2 / 14);
  shift.expectMean(-0.08900206 * std::log(86400));
  shift.expectDeviation(0.04201137 * std::log(86400) + 0.41183342);
}

TEST(Cells, FlickerVariance) {
  auto root = [](double age, double start, double read) {
    return std::sqrt(std::log((age + start + read) / (2 * read)));
  };
  Chip own(R"("noise": {"read": 0.02}, "cells": {"flicker": 0.03})");
  for (double age : {0.0, 1e5}) {
    double f = 0.03 * root(age, 20, 250e-9);
    for (double u : own.of(5, age, true).values)
      EXPECT_NEAR(u, 25 * (0.02 * 0.02 + f * f), 1e-3 * u);
  }
  // Without programming noise one would see Q itself; the mean is close.
  Chip pcm(R"("cells": {"mapping": "offset", "model": "pcm"})");
  double expected = 14 * 0.0088 * root(0, 20, 250e-9);
  EXPECT_NEAR(std::sqrt(pcm.of(7, 0, true).mean()), expected, 0.02 * expected);
  Chip sonos(R"("cells": {"mapping": "offset", "model": "sonos"})");
  for (double u : sonos.of(0, 0, true).values)
    EXPECT_NEAR(std::sqrt(u),
                14 / 1600.0 * 12.58037 * (1 - std::exp(-800 / 215.36557)),
                1e-4);
}

TEST(Cells, DrawsOfOneDeviceAreIndependent) {
  Chip chip(R"("noise": {"static": 0.05}, "cells": {"mapping": "offset",
               "program": [0.01], "drift": 0.1, "drift_spread": 0.02})");
  Sample before = chip.of(0), nu = exponents(chip, 7, 20), product;
  for (size_t i = 0; i < nu.values.size(); ++i)
    product.values.push_back(before.values[i] * (nu.values[i] - 0.1));
  product.expectMean(0);
  Sample other = Chip(noise("")).of(-4);
  other.expectMean(-4);
}

TEST(Cells, AbsurdParametersStayFinite) {
  for (const char *cells :
       {R"("dependence": "inverse", "on_off": 1e9)",
        R"("distribution": "lognormal", "dependence": "additive")",
        R"("program": [1e6, -1e6, 1e6, 1e6, 1e6], "drift": 1e6,
           "drift_spread": 1e6, "drift_start": 1e-12, "flicker": 1e6)",
        R"("mapping": "offset", "model": "reram-cmo", "on_off": 1.001)"}) {
    Chip chip(
        std::string(R"("noise": {"read": 1e6, "static": 1e6}, "cells": {)") +
        cells + "}");
    for (double age : {0.0, 1e15})
      for (int level : {-7, 0, 7})
        for (bool variances : {false, true})
          for (double v : chip.of(level, age, variances).values)
            ASSERT_TRUE(std::isfinite(v)) << chip.text;
    Cells made(chip.config, {0, 0}, 1e15f);
    EXPECT_EQ(made.codesPerLevel(1), 2);
    EXPECT_TRUE(std::isfinite(made.codesPerVariance(1)));
  }
}
