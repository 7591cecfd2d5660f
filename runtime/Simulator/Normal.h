// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Normal deviates from the counter: same bits on every processor, because only
// single binary32 operations and a table are involved.
#ifndef CIM_RUNTIME_SIMULATOR_NORMAL_H
#define CIM_RUNTIME_SIMULATOR_NORMAL_H

#include "Simulator/Philox.h"

#include <cstring>

namespace cim::sim {

/// Coefficients of -inverse_cdf per octave of the probability:
/// [degree][octave].
inline constexpr int normalDegree = 3;
alignas(64) extern const float normalTable[normalDegree + 1][32];

/// The deviate that 32 random bits stand for: the sign, and 30 bits of
/// probability; |deviate| <= 6.23.
inline float normalFromBits(uint32_t bits) {
  float x = float(int32_t((bits & 0x7fffffffu) | 1u));
  uint32_t image;
  memcpy(&image, &x, sizeof image);
  uint32_t octave = (image >> 23) % 32;
  image = (image & 0x007fffffu) | 0x3f800000u;
  float s;
  memcpy(&s, &image, sizeof s);
  s = s - 1.5f;
  float value = normalTable[normalDegree][octave];
  for (int degree = normalDegree - 1; degree >= 0; --degree)
    value = value * s + normalTable[degree][octave];
  uint32_t signedImage;
  memcpy(&signedImage, &value, sizeof signedImage);
  signedImage ^= bits & 0x80000000u;
  memcpy(&value, &signedImage, sizeof value);
  return value;
}

/// What a random number is for; part of the counter.
enum class Draw : uint32_t {
  Read = 0,       // window, image, layer, block
  Convert = 1,    // window, image, layer, block
  Cell = 2,       // row, array, device
  AdcGain = 3,    // -, array
  AdcOffset = 4,  // -, array
  Program = 5,    // row, array, device
  Drift = 6,      // row, array, device
  Fault = 7,      // row, array, device
  Line = 8,       // -, array
  Capacitor = 9,  // capacitor, array
  Jitter = 10,    // window, image, layer, block; by matrix row
  Calibrate = 11, // read, array
};

/// The counter of column `column`; four neighbouring columns share it, and
/// column & 3 picks the word. `a`, `b`, `c` are what Draw lists; layer and
/// block are packed by layerBlock().
constexpr PhiloxBlock counterOf(Draw draw, uint32_t column, uint32_t a,
                                uint32_t b, uint32_t c) {
  return {{uint32_t(draw) << 28 | column >> 2, a, b, c}};
}

constexpr uint32_t layerBlock(uint32_t layer, uint32_t block) {
  return layer << 16 | block;
}

inline float normalAt(PhiloxKey key, Draw draw, uint32_t column, uint32_t a,
                      uint32_t b, uint32_t c) {
  PhiloxBlock bits = philox(key, counterOf(draw, column, a, b, c));
  return normalFromBits(bits.word[column & 3]);
}

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_NORMAL_H
