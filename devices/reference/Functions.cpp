// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Functions.h.

#include "Functions.h"

#include <cmath>

using namespace cim::reference;

float cim::reference::polynomial(const std::vector<float> &c, float x) {
  float y = c.back();
  for (size_t i = c.size() - 1; i-- > 0;) {
    float product = y * x;
    y = product + c[i];
  }
  return y;
}

float cim::reference::log2(float y) {
  static const std::vector<float> c = {float(2 / ln2), float(2 / (3 * ln2)),
                                       float(2 / (5 * ln2)),
                                       float(2 / (7 * ln2))};
  int exponent;
  float m = 2 * std::frexp(y, &exponent); // 1 <= m < 2
  exponent -= 1;
  if (m > float(std::sqrt(2.0))) {
    m = m / 2;
    exponent += 1;
  }
  float f = (m - 1) / (m + 1);
  float series = f * polynomial(c, f * f);
  return float(exponent) + series;
}

float cim::reference::exp2(float y) {
  static const std::vector<float> d = [] {
    std::vector<float> d;
    double term = 1;
    for (int i = 0; i <= 6; ++i, term *= ln2 / i)
      d.push_back(float(term));
    return d;
  }();
  y = clamp(y, -126, 126);
  float i = std::nearbyint(y);
  return std::ldexp(polynomial(d, y - i), int(i));
}

float cim::reference::ln(float y) { return log2(y) * float(ln2); }

float cim::reference::power(float y, float e) { return exp2(e * log2(y)); }
