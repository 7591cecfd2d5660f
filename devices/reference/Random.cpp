// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Random.h.

#include "Random.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace cim::reference;

Key::Key(uint64_t seed, uint32_t trial, uint32_t rounds)
    : word{uint32_t(seed), uint32_t(seed >> 32) ^ trial * 0x9E3779B9u},
      rounds(rounds) {}

Counter cim::reference::philox(Key key, Counter c) {
  for (uint32_t round = 0; round < key.rounds; ++round) {
    uint64_t a = uint64_t(0xD2511F53u) * c.word[0];
    uint64_t b = uint64_t(0xCD9E8D57u) * c.word[2];
    c = {{uint32_t(b >> 32) ^ c.word[1] ^ key.word[0], uint32_t(b),
          uint32_t(a >> 32) ^ c.word[3] ^ key.word[1], uint32_t(a)}};
    key.word[0] += 0x9E3779B9u;
    key.word[1] += 0xBB67AE85u;
  }
  return c;
}

namespace {
constexpr int degree = 3;
using Polynomial = std::array<double, degree + 1>;

/// The deviate that is exceeded with probability p, 0 < p <= 1/2.
double deviateOf(double p) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    double middle = (low + high) / 2;
    (0.5 * std::erfc(middle / std::sqrt(2.0)) > p ? low : high) = middle;
  }
  return low;
}

/// The page gives ten digits of every coefficient.
double tenDigits(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.9e", value);
  return strtod(text, nullptr);
}

/// Octave 2^e <= x < 2^(e+1): interpolates -inverse_cdf(x / 2^32) at Chebyshev
/// nodes, as a polynomial in s = x / 2^e - 1.5. Newton's form, multiplied out.
Polynomial octave(int e) {
  double nodes[degree + 1];
  Polynomial slopes; // divided differences
  for (int i = 0; i <= degree; ++i) {
    nodes[i] = 0.5 * std::cos(M_PI * (2 * i + 1) / (2 * degree + 2));
    slopes[i] = deviateOf((1.5 + nodes[i]) * std::ldexp(1.0, e - 32));
  }
  for (int order = 1; order <= degree; ++order)
    for (int i = degree; i >= order; --i)
      slopes[i] = (slopes[i] - slopes[i - 1]) / (nodes[i] - nodes[i - order]);
  Polynomial result = {};
  for (int i = degree; i >= 0; --i) {
    for (int d = degree; d > 0; --d)
      result[d] = result[d - 1] - nodes[i] * result[d];
    result[0] = slopes[i] - nodes[i] * result[0];
  }
  for (double &coefficient : result)
    coefficient = tenDigits(coefficient);
  return result;
}

struct Table {
  float of[32][degree + 1] = {}; // octave 31, x = 2^31: no deviation
  Table() {
    for (int e = 0; e < 31; ++e) {
      Polynomial polynomial = octave(e);
      for (int d = 0; d <= degree; ++d)
        of[e][d] = float(polynomial[d]);
    }
  }
};
} // namespace

float cim::reference::normal(uint32_t bits) {
  static const Table table;
  float x = float((bits & 0x7FFFFFFFu) | 1u);
  int exponent;
  float mantissa = std::frexp(x, &exponent); // x = mantissa * 2^exponent
  const float *c = table.of[exponent - 1];
  float s = 2 * mantissa - 1.5f;
  float y = c[degree];
  for (int d = degree - 1; d >= 0; --d) {
    float product = y * s;
    y = product + c[d];
  }
  return bits >> 31 ? -y : y;
}

uint32_t cim::reference::randomBits(Key key, Draw draw, uint32_t column,
                                    uint32_t word1, uint32_t word2,
                                    uint32_t word3) {
  Counter counter = {{uint32_t(draw) << 28 | column >> 2, word1, word2, word3}};
  return philox(key, counter).word[column & 3];
}
