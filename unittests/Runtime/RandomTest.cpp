// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The random numbers: Philox against the published vectors, normals against the
// normal distribution.

#include "Simulator/Normal.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace cim::sim;

namespace {
struct Known {
  PhiloxKey key;
  PhiloxBlock counter, seven, ten;
};
} // namespace

// Random123, tests/kat_vectors.
static const Known known[] = {
    {{0, 0},
     {{0, 0, 0, 0}},
     {{0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}},
     {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
    {{0xffffffff, 0xffffffff},
     {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
     {{0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662}},
     {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
    {{0xa4093822, 0x299f31d0},
     {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
     {{0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a}},
     {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}}};

TEST(Philox, KnownAnswers) {
  for (const Known &vector : known) {
    PhiloxBlock seven = philox<7>(vector.key, vector.counter);
    PhiloxBlock ten = philox<10>(vector.key, vector.counter);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(seven.word[i], vector.seven.word[i]);
      EXPECT_EQ(ten.word[i], vector.ten.word[i]);
    }
  }
}

static double cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }
static double density(double z) {
  return std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979);
}

// In every octave, the deviate is where the inverse distribution puts it.
TEST(Normal, InvertsTheDistribution) {
  double worst = 0;
  for (int octave = 0; octave < 31; ++octave)
    for (int step = 0; step < 64; ++step) {
      uint32_t x = uint32_t((1.0 + step / 64.0) * std::ldexp(1.0, octave)) | 1u;
      double p = x / 4294967296.0;
      double z = normalFromBits(x);
      // Newton's step from z to the exact deviate, in the accurate tail.
      worst = std::max(worst, std::abs((cdf(-z) - p) / density(z)));
    }
  EXPECT_LT(worst, 3e-4);
}

TEST(Normal, IsSymmetricAndBounded) {
  EXPECT_NEAR(normalFromBits(0), 6.23f, 0.01f);
  EXPECT_EQ(normalFromBits(0x80000000u), -normalFromBits(0));
  EXPECT_NEAR(normalFromBits(0x7fffffffu), 0.0f, 1e-6f);
  for (uint32_t bits : {1u, 77u, 0x1234567u, 0x7fffff00u})
    EXPECT_EQ(normalFromBits(bits), -normalFromBits(bits | 0x80000000u));
}

// Equally spaced bits: the moments of the mapping itself, without sampling.
TEST(Normal, MomentsOfTheMapping) {
  constexpr uint64_t step = 1021;
  double count = 0, second = 0, fourth = 0;
  for (uint64_t bits = 1; bits < (uint64_t(1) << 31); bits += step) {
    double z = normalFromBits(uint32_t(bits));
    count += 1;
    second += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(second / count, 1, 1e-4);
  EXPECT_NEAR(fourth / count, 3, 1e-3);
}

// How many of the 2^31 magnitudes lie beyond z, as far as six sigma: as many
// as the normal distribution says, but for the last pair of neighbours, which
// share a deviate.
TEST(Normal, TailsOfTheMapping) {
  for (double z = 2; z <= 6.05; z += 0.25) {
    uint32_t least = 0, most = 1u << 31; // beyond z are 0 .. least - 1
    while (least < most) {
      uint32_t middle = least + (most - least) / 2;
      if (normalFromBits(middle) > z)
        least = middle + 1;
      else
        most = middle;
    }
    double expected = cdf(-z) * 4294967296.0;
    EXPECT_NEAR(least, expected, 2 + 1.5e-3 * expected) << z;
  }
}

// Counters that differ in one place give unrelated numbers.
TEST(Normal, MomentsAndIndependenceOfDraws) {
  PhiloxKey key = {42, 7};
  constexpr uint32_t count = 1 << 18;
  for (int place = 0; place < 4; ++place) {
    double first = 0, second = 0, third = 0, fourth = 0, lagged = 0;
    double previous = 0;
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t c[4] = {5, 6, 7, 8};
      c[place] += i;
      double z = normalAt(key, Draw::Read, c[0], c[1], c[2], c[3]);
      first += z;
      second += z * z;
      third += z * z * z;
      fourth += z * z * z * z;
      lagged += z * previous;
      previous = z;
    }
    double root = std::sqrt(double(count));
    // z-scores: variances of z, z^2, z^3, z^4, z z' are 1, 2, 15, 96, 1.
    EXPECT_LT(std::abs(first / root), 4) << place;
    EXPECT_LT(std::abs((second - count) / root / std::sqrt(2.0)), 4) << place;
    EXPECT_LT(std::abs(third / root / std::sqrt(15.0)), 4) << place;
    EXPECT_LT(std::abs((fourth - 3.0 * count) / root / std::sqrt(96.0)), 4)
        << place;
    EXPECT_LT(std::abs(lagged / root), 4) << place;
  }
}
