// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, section 5.5: functions with the same bits everywhere.
#ifndef CIM_REFERENCE_FUNCTIONS_H
#define CIM_REFERENCE_FUNCTIONS_H

#include <vector>

namespace cim::reference {

float log2(float y); // y > 0, normal
float exp2(float y);
float ln(float y);
float power(float y, float e);

/// c[0] + c[1] x + c[2] x^2 + ..., by Horner.
float polynomial(const std::vector<float> &c, float x);

/// A NaN, and a zero that equals `lo`, become `lo`.
inline float clamp(float x, float lo, float hi) {
  x = x > lo ? x : lo;
  return x < hi ? x : hi;
}

/// +0 when x is 0 or below.
inline float positive(float x) { return x > 0 ? x : 0.0f; }

constexpr double ln2 = 0.69314718055994530942;

} // namespace cim::reference

#endif // CIM_REFERENCE_FUNCTIONS_H
