// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// log2 and exp2 as docs/Numerics.md, section 5.5, defines them: single binary32
// operations, so that every processor gives the same bits.
#ifndef CIM_RUNTIME_SIMULATOR_FUNCTIONS_H
#define CIM_RUNTIME_SIMULATOR_FUNCTIONS_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace cim::sim {

inline constexpr float ln2 = 0.693147180559945309f;
inline constexpr float inverseLn2 = 1.44269504088896341f;

/// Of a positive normal number.
inline float log2Of(float y) {
  uint32_t image;
  memcpy(&image, &y, sizeof image);
  int32_t exponent = int32_t(image >> 23) - 127;
  image = (image & 0x007fffffu) | 0x3f800000u;
  float m;
  memcpy(&m, &image, sizeof m);
  if (m > 1.41421356237309505f) {
    m = m * 0.5f;
    exponent += 1;
  }
  float f = (m - 1.0f) / (m + 1.0f);
  float p = f * f;
  float sum = 0.412198583111318f; // 2 / (7 ln 2)
  sum = sum * p + 0.577078016355585f;
  sum = sum * p + 0.961796693925976f;
  sum = sum * p + 2.885390081777927f;
  return float(exponent) + f * sum;
}

/// (ln 2)^i / i!, i = 6 .. 1.
inline constexpr int exp2Degree = 6;
inline constexpr float exp2Terms[exp2Degree] = {
    1.54035303933816e-4f, 1.33335581464284e-3f, 9.61812910762848e-3f,
    5.55041086648216e-2f, 2.40226506959101e-1f, 6.93147180559945e-1f};

inline float exp2Of(float y) {
  y = y > -126.0f ? y : -126.0f;
  y = y < 126.0f ? y : 126.0f;
  float whole = std::nearbyintf(y);
  float r = y - whole;
  float sum = exp2Terms[0];
  for (int i = 1; i < exp2Degree; ++i)
    sum = sum * r + exp2Terms[i];
  sum = sum * r + 1.0f;
  uint32_t image = uint32_t(int32_t(whole) + 127) << 23;
  float scale;
  memcpy(&scale, &image, sizeof scale);
  return sum * scale;
}

inline float lnOf(float y) { return log2Of(y) * ln2; }
inline float powerOf(float y, float e) { return exp2Of(e * log2Of(y)); }

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_FUNCTIONS_H
