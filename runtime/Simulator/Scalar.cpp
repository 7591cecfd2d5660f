// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Scalar.h. Compiled without contraction: every line that computes with
// floats is one binary32 operation after the other, as docs/Numerics.md says.

#include "Simulator/Scalar.h"
#include "Simulator/Normal.h"

#include <cmath>

using namespace cim;
using namespace cim::sim;

namespace {
/// Where one conversion happens; makes the noise counters.
struct Site {
  PhiloxKey key;
  uint32_t window, image, layer;
};
} // namespace

static float roundBy(cim_rounding rounding, float x) {
  return rounding == CIM_FLOOR ? std::floor(x) : std::nearbyintf(x);
}

static float clamp(float x, float lo, float hi) {
  x = x > lo ? x : lo;
  return x < hi ? x : hi;
}

/// Reads the window of output position (oh, ow): one value per matrix row.
static void gather(const cim_layer &l, const void *input, uint32_t oh,
                   uint32_t ow, std::vector<int16_t> &window) {
  auto *i8 = static_cast<const int8_t *>(input);
  auto *u8 = static_cast<const uint8_t *>(input);
  uint32_t channels = l.in_c / l.groups;
  size_t k = 0;
  for (uint32_t g = 0; g < l.groups; ++g)
    for (uint32_t kh = 0; kh < l.kernel_h; ++kh)
      for (uint32_t kw = 0; kw < l.kernel_w; ++kw) {
        int64_t ih =
            int64_t(oh) * l.stride_h + int64_t(kh) * l.dilation_h - l.pad_top;
        int64_t iw =
            int64_t(ow) * l.stride_w + int64_t(kw) * l.dilation_w - l.pad_left;
        bool inside = ih >= 0 && ih < l.in_h && iw >= 0 && iw < l.in_w;
        uint64_t at = inside ? (ih * l.in_w + iw) * l.in_c + g * channels : 0;
        for (uint32_t c = 0; c < channels; ++c, ++k) {
          int16_t value = l.in_type == CIM_I8 ? i8[at + c] : u8[at + c];
          window[k] = inside ? value : 0;
        }
      }
}

/// sums[n] = sum of q[k] * matrix[k][n]
template <typename T>
static void product(const PlannedBlock &block, const int16_t *q,
                    const std::vector<T> &matrix, std::vector<int32_t> &sums) {
  sums.assign(block.nCount, 0);
  for (uint32_t k = 0; k < block.kCount; ++k) {
    const T *row = matrix.data() + size_t(k) * block.nCount;
    for (uint32_t n = 0; n < block.nCount; ++n)
      sums[n] += int32_t(q[k]) * row[n];
  }
}

/// sums[n] = sum of q[k]^2 * squares[k][n]
static void squareProduct(const PlannedBlock &block, const int16_t *q,
                          std::vector<int32_t> &sums) {
  sums.assign(block.nCount, 0);
  for (uint32_t k = 0; k < block.kCount; ++k) {
    const uint8_t *row = block.squares.data() + size_t(k) * block.nCount;
    for (uint32_t n = 0; n < block.nCount; ++n)
      sums[n] += int32_t(q[k]) * q[k] * row[n];
  }
}

/// Read noise of a column: the noise of its cells adds up to one normal of
/// variance sigma^2 V.
static float addReadNoise(float a, const Plan &plan, const Site &site,
                          uint32_t column, uint32_t block, int32_t v) {
  float sigma = plan.readSigma * std::sqrt(float(v));
  float normal = normalAt(site.key, Draw::Read, column, site.window, site.image,
                          layerBlock(site.layer, block));
  return a + sigma * normal;
}

/// Noise of one conversion, in codes.
static float addConverterNoise(float x, const Plan &plan, const Site &site,
                               uint32_t column, uint32_t block) {
  float normal = normalAt(site.key, Draw::Convert, column, site.window,
                          site.image, layerBlock(site.layer, block));
  return x + plan.adcNoise * normal;
}

/// What the ADC of column `n` (of the block) makes of an analog value.
static float convert(const Plan &plan, const PlannedBlock &block,
                     const Site &site, uint32_t n, int32_t sum, int32_t v) {
  const cim_layer &l = *plan.layer;
  if (plan.mode == Mode::Ideal)
    return float(sum);
  float a = float(sum);
  if (plan.inverseZ != 1)
    a = a * plan.inverseZ;
  uint32_t column = block.n + n, ordinal = block.ordinal[n];
  if (plan.readSigma != 0)
    a = addReadNoise(a, plan, site, column, ordinal, v);
  float x = a * block.gain;
  ColumnStage columns = block.columns.from(n);
  bendLines(columns, 1, 1, &x);
  if (!block.adcGain.empty())
    x = x * block.adcGain[n];
  if (!block.adcOffset.empty())
    x = x + block.adcOffset[n];
  if (plan.adcNoise != 0)
    x = addConverterNoise(x, plan, site, column, ordinal);
  compareThresholds(columns, 1, 1, &x);
  return clamp(roundBy(l.adc_rounding, x), float(l.adc_lo), float(l.adc_hi));
}

static void store(const cim_layer &l, uint64_t position, const float *sums,
                  void *output) {
  for (uint32_t n = 0; n < l.out_c; ++n) {
    float y = sums[n] * l.scale[n];
    y = y + l.bias[n];
    uint64_t at = position * l.out_c + n;
    if (l.out_type == CIM_F32) {
      static_cast<float *>(output)[at] = clamp(y, l.lo, l.hi);
      continue;
    }
    float code = clamp(roundBy(l.out_rounding, y), l.lo, l.hi);
    static_cast<uint8_t *>(output)[at] = uint8_t(int32_t(code));
  }
}

void cim::sim::runScalar(const Plan &plan, PhiloxKey key, uint32_t image,
                         const void *input, void *output) {
  const cim_layer &l = *plan.layer;
  std::vector<int16_t> window(rt::matrixRows(l));
  std::vector<int32_t> sums, variances;
  std::vector<float> results(l.out_c);
  uint32_t windows = l.out_h * l.out_w;
  for (uint32_t w = 0; w < windows; ++w) {
    Site site = {key, w, image, l.id};
    gather(l, input, w / l.out_w, w % l.out_w, window);
    results.assign(l.out_c, 0.0f);
    for (const PlannedBlock &block : plan.blocks) {
      product(block, window.data() + block.k, block.weights, sums);
      variances.assign(block.nCount, 0);
      if (plan.readSigma != 0)
        squareProduct(block, window.data() + block.k, variances);
      for (uint32_t n = 0; n < block.nCount; ++n) {
        float code = convert(plan, block, site, n, sums[n], variances[n]);
        float &result = results[block.n + n];
        float term = code * block.coefficient[n];
        result = result + term;
      }
    }
    store(l, w, results.data(), output);
  }
}
