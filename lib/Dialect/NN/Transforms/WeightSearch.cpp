// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The scale with which integers come nearest to real weights.
#include "cim/Dialect/NN/Transforms/WeightSearch.h"
#include "llvm/Support/Parallel.h"
#include <cmath>
#include <numeric>

using namespace mlir;

namespace cim::nn {

/// The integer that stands for `weight`, as a float.
static float roundWeight(float weight, float inverse, float levels) {
  return std::clamp(std::nearbyint(weight * inverse), -levels, levels);
}

/// Threshold at half the scale: |w| below it becomes 0, as rounding does.
static double searchTernaryScale(ArrayRef<float> weights) {
  std::vector<float> magnitudes;
  for (float w : weights)
    magnitudes.push_back(std::abs(w));
  llvm::sort(magnitudes, std::greater<float>());
  double sum = 0, best = 0, scale = 0;
  for (auto [i, magnitude] : llvm::enumerate(magnitudes)) {
    sum += magnitude;
    double gain = sum * sum / static_cast<double>(i + 1);
    if (gain > best) {
      best = gain;
      scale = sum / static_cast<double>(i + 1);
    }
  }
  return scale;
}

/// Squared error of `weights` with the best scale for the integers that
/// rounding with `scale` gives; `scale` becomes that scale.
static double refine(ArrayRef<float> weights, int64_t levels, double &scale) {
  float inverse = static_cast<float>(1.0 / scale);
  double cross = 0, square = 0, energy = 0;
  for (float w : weights) {
    double q = roundWeight(w, inverse, static_cast<float>(levels));
    cross += q * w;
    square += q * q;
    energy += double(w) * w;
  }
  if (square == 0)
    return energy;
  scale = cross / square;
  return energy - cross * cross / square;
}

static double searchScale(ArrayRef<float> weights, int64_t levels) {
  if (levels == 1)
    return searchTernaryScale(weights);
  double largest = 0;
  for (float w : weights)
    largest = std::max(largest, double(std::abs(w)));
  if (largest == 0)
    return 0;
  // With many levels, clipping gains nothing: few clip points suffice.
  int64_t steps = levels > 40 ? 8 : 40;
  double best = std::numeric_limits<double>::infinity(), result = 0;
  for (int64_t step = 0; step < steps; ++step) {
    double clip = 1.0 - 0.75 * static_cast<double>(step) / steps;
    double scale = largest * clip / static_cast<double>(levels);
    double error = refine(weights, levels, scale);
    if (error < best) {
      best = error;
      result = scale;
    }
  }
  return result;
}

ChannelIntegers searchWeights(ArrayRef<float> weights, ArrayRef<int64_t> shape,
                              int64_t dim, int64_t levels) {
  int64_t channels = shape[dim], inner = getInnerSize(shape, dim);
  int64_t size = weights.size();
  ChannelIntegers result;
  result.values.resize(size);
  result.levels = levels;
  result.scales.resize(channels);
  llvm::parallelFor(0, channels, [&](int64_t n) {
    std::vector<float> channel;
    for (int64_t i = n * inner; i < size; i += channels * inner)
      llvm::append_range(channel, weights.slice(i, inner));
    double scale = searchScale(channel, levels);
    if (!(scale >= std::numeric_limits<float>::min()))
      scale = 1;
    result.scales[n] = scale;
    float inverse = static_cast<float>(1.0 / scale);
    for (int64_t i = n * inner; i < size; i += channels * inner)
      for (int64_t j = i; j < i + inner; ++j)
        result.values[j] = static_cast<int8_t>(
            roundWeight(weights[j], inverse, static_cast<float>(levels)));
  });
  return result;
}

} // namespace cim::nn
