// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Some windows of every sample, the same for all who look at a layer.
#ifndef CIM_LIB_CALIBRATION_WINDOWSAMPLE_H
#define CIM_LIB_CALIBRATION_WINDOWSAMPLE_H

#include <algorithm>
#include <cstdint>

namespace cim {

/// `perSample` of the `windows` windows of each sample: one at a pseudo-random
/// place of each of as many equal parts.
struct WindowSample {
  int64_t windows = 1, perSample = 1;

  /// About `wanted` windows of `samples` samples together, at least one of
  /// each.
  WindowSample(int64_t windows, int64_t samples, int64_t wanted)
      : windows(windows), perSample(std::clamp<int64_t>(
                              (wanted + samples - 1) / samples, 1, windows)) {}

  /// Number of the window that is the `index`-th of `sample`.
  int64_t place(int64_t sample, int64_t index) const {
    constexpr int bits = 24;
    uint64_t offset = mix(sample * perSample + index) >> (64 - bits);
    uint64_t at = (uint64_t(index) << bits) + offset;
    return static_cast<int64_t>((at * windows / perSample) >> bits);
  }

  /// The output function of SplitMix64 (Steele et al., OOPSLA 2014).
  static uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_WINDOWSAMPLE_H
