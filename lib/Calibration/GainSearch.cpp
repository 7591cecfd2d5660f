// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ADC gain that loses least of the sums it converts.
#include "GainSearch.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace cim {

/// Variance, times the number of sums, of what the conversion loses.
static double measureLoss(const SumHistogram &sums, float gain, int32_t lo,
                          int32_t hi, cim_rounding rounding) {
  double count = 0, mean = 0, square = 0;
  for (auto [sum, times] : sums) {
    float scaled = static_cast<float>(sum) * gain;
    float rounded = rounding == CIM_NEAREST_EVEN ? std::nearbyint(scaled)
                                                 : std::floor(scaled);
    double code = std::clamp(rounded, float(lo), float(hi));
    double error = static_cast<double>(sum) - code / gain;
    count += times;
    mean += times * error;
    square += times * error * error;
  }
  return count > 0 ? square - mean * mean / count : 0;
}

float searchGain(const SumHistogram &sums, int32_t adcLo, int32_t adcHi,
                 cim_rounding rounding) {
  if (sums.empty())
    return 1;
  int64_t lowest = sums.begin()->first, highest = sums.rbegin()->first;
  if (lowest >= adcLo && highest <= adcHi)
    return 1;
  constexpr int steps = 64;
  constexpr double octaves = 4;
  double largest = std::max(std::abs(lowest), std::abs(highest));
  double best = std::numeric_limits<double>::infinity();
  float result = 1;
  for (int step = 0; step < steps; ++step) {
    double clip = largest * std::exp2(-octaves * step / (steps - 1));
    float gain = static_cast<float>(std::min(adcHi / clip, 1.0));
    double loss = measureLoss(sums, gain, adcLo, adcHi, rounding);
    if (loss < best) {
      best = loss;
      result = gain;
    }
  }
  return result;
}

} // namespace cim
