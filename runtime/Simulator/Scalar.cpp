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
  return rounding == CIM_NEAREST_EVEN ? std::nearbyintf(x) : std::floor(x);
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
template <typename Sum, typename Q, typename T>
static void product(const PlannedBlock &block, const Q *q,
                    const std::vector<T> &matrix, std::vector<Sum> &sums) {
  sums.assign(block.nCount, 0);
  for (uint32_t k = 0; k < block.kCount; ++k) {
    if (!q[k])
      continue;
    const T *row = matrix.data() + size_t(k) * block.nCount;
    for (uint32_t n = 0; n < block.nCount; ++n)
      sums[n] += Sum(q[k]) * row[n];
  }
}

namespace {
/// Integer sums of one block and window, per column.
struct Sums {
  std::vector<int32_t> products;  // q G
  std::vector<int32_t> variances; // q^2 U
  std::vector<int32_t> jitter;    // J G
  std::vector<int32_t> loads;     // |q G|
  std::vector<int32_t> drops;     // q D
};
} // namespace

/// Slice `slice` of an input, with its sign.
static int32_t digitOf(int32_t q, const Plan &plan, uint32_t slice) {
  uint32_t magnitude = uint32_t(std::abs(q)) >> (plan.sliceBits * slice);
  if (slice + 1 < plan.digits)
    magnitude &= (1u << plan.sliceBits) - 1;
  return q < 0 ? -int32_t(magnitude) : int32_t(magnitude);
}

/// What q adds to the variance: q^2, or its slices' that add up as currents.
static int32_t squareOf(int32_t q, const Plan &plan) {
  if (plan.slices > 1 || plan.sliceBits == 0)
    return q * q;
  int32_t sum = 0;
  for (uint32_t s = 0; s < plan.digits; ++s) {
    int32_t part = digitOf(q, plan, s) * (1 << (plan.sliceBits * s));
    sum += part * part;
  }
  return sum;
}

/// Deviations of the pulses, in tenths of the deviation that the target says.
/// An input of 0 has no pulse.
static void drawJitter(const PlannedBlock &block, const Site &site,
                       const int16_t *q, std::vector<int32_t> &jitter) {
  jitter.assign(block.kCount, 0);
  for (uint32_t k = 0; k < block.kCount; ++k) {
    if (!q[k])
      continue;
    float normal =
        normalAt(site.key, Draw::Jitter, block.k + k, site.window, site.image,
                 layerBlock(site.layer, block.ordinal[0]));
    jitter[k] = int32_t(std::nearbyintf(10.0f * normal));
  }
}

static void sumLoads(const PlannedBlock &block, const int16_t *q,
                     std::vector<int32_t> &loads) {
  loads.assign(block.nCount, 0);
  for (uint32_t k = 0; k < block.kCount; ++k) {
    const int8_t *row = block.weights.data() + size_t(k) * block.nCount;
    for (uint32_t n = 0; q[k] && n < block.nCount; ++n)
      loads[n] += std::abs(q[k] * row[n]);
  }
}

/// The fitted model of IR drop.
static float loseToWires(float a, const Plan &plan, const PlannedBlock &block,
                         int32_t load, int32_t drop) {
  float l = block.wire * (float(load) * plan.loadUnit);
  float c = l * ((l * 0.05f - 0.2f) * l + 0.5f);
  float share = clamp(c, 0, 1);
  return a - share * (float(drop) * plan.dropUnit);
}

static float addNoise(float x, float sigma, Draw draw, const Site &site,
                      uint32_t column, uint32_t block) {
  float normal = normalAt(site.key, draw, column, site.window, site.image,
                          layerBlock(site.layer, block));
  return x + sigma * normal;
}

/// What the ADC of column `n` (of the block) makes of read number `read`.
static float convert(const Plan &plan, const PlannedBlock &block,
                     const Site &site, uint32_t n, uint32_t read,
                     const Sums &sums) {
  const cim_layer &l = *plan.layer;
  float a = float(sums.products[n]);
  if (plan.mode == Mode::Ideal)
    return a;
  if (plan.jitter != 0)
    a = a + float(sums.jitter[n]) * plan.jitter;
  if (plan.inverseZ != 1)
    a = a * plan.inverseZ;
  if (plan.wire != 0)
    a = loseToWires(a, plan, block, sums.loads[n], sums.drops[n]);
  uint32_t column = block.n + n, ordinal = block.ordinal[n] + read;
  // The noise of a column's cells adds up to one normal of variance sigma^2 V.
  float v = plan.readSigma != 0 ? float(sums.variances[n]) : 0;
  bool joint = !block.noise.empty();
  if (plan.readSigma != 0 && !joint)
    a = addNoise(a, plan.readSigma * std::sqrt(v), Draw::Read, site, column,
                 ordinal);
  float x = a * block.gain;
  x = block.columns.bend(n, x);
  if (!block.adcGain.empty())
    x = x * block.adcGain[n];
  if (!block.adcOffset.empty())
    x = x + block.adcOffset[n];
  if (joint)
    x = addNoise(x,
                 std::sqrt(v * block.noise[n] + plan.adcNoise * plan.adcNoise),
                 Draw::Read, site, column, ordinal);
  else if (plan.adcNoise != 0)
    x = addNoise(x, plan.adcNoise, Draw::Convert, site, column, ordinal);
  x = block.columns.compare(n, x);
  x = clamp(roundBy(l.adc_rounding, x), float(l.adc_lo), float(l.adc_hi));
  return l.adc_rounding == CIM_MID_RISE ? x + 0.5f : x;
}

namespace {
/// Runs the blocks of one layer on one window after the other.
struct Reader {
  const Plan &plan;
  std::vector<int16_t> digits;
  std::vector<int32_t> squares, jitter;
  Sums sums;

  void sumUp(const PlannedBlock &block, const Site &site, const int16_t *q);
  void addBlock(const PlannedBlock &block, const Site &site, const int16_t *q,
                float *results);
};
} // namespace

/// Every integer sum that one read needs.
void Reader::sumUp(const PlannedBlock &block, const Site &site,
                   const int16_t *q) {
  product(block, q, block.weights, sums.products);
  if (plan.readSigma != 0) {
    squares.resize(block.kCount);
    for (uint32_t k = 0; k < block.kCount; ++k)
      squares[k] = squareOf(q[k], plan);
    product(block, squares.data(), block.squares, sums.variances);
  }
  if (plan.jitter != 0) {
    drawJitter(block, site, q, jitter);
    product(block, jitter.data(), block.weights, sums.jitter);
  }
  if (plan.wire != 0) {
    sumLoads(block, q, sums.loads);
    product(block, q, block.drops, sums.drops);
  }
}

void Reader::addBlock(const PlannedBlock &block, const Site &site,
                      const int16_t *q, float *results) {
  for (uint32_t read = 0; read < plan.slices; ++read) {
    const int16_t *part = q;
    if (plan.slices > 1) {
      digits.resize(block.kCount);
      for (uint32_t k = 0; k < block.kCount; ++k)
        digits[k] = int16_t(digitOf(q[k], plan, read));
      part = digits.data();
    }
    sumUp(block, site, part);
    // Every slice counts like a block of its own.
    float weight = float(1u << plan.sliceBits * read);
    for (uint32_t n = 0; n < block.nCount; ++n) {
      float &result = results[block.n + n];
      float code = convert(plan, block, site, n, read, sums);
      float term = code * (block.coefficient[n] * weight);
      result = result + term;
    }
  }
}

static void store(const Plan &plan, uint64_t position, const float *sums,
                  void *output) {
  const cim_layer &l = *plan.layer;
  for (uint32_t n = 0; n < l.out_c; ++n) {
    float y = sums[n] * l.scale[n];
    y = y + plan.bias[n];
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
  Reader reader = {plan, {}, {}, {}, {}};
  std::vector<int16_t> window(rt::matrixRows(l));
  std::vector<float> results(l.out_c);
  uint32_t windows = l.out_h * l.out_w;
  for (uint32_t w = 0; w < windows; ++w) {
    Site site = {key, w, image, l.id};
    gather(l, input, w / l.out_w, w % l.out_w, window);
    results.assign(l.out_c, 0.0f);
    for (const PlannedBlock &block : plan.blocks)
      reader.addBlock(block, site, window.data() + block.k, results.data());
    store(plan, w, results.data(), output);
  }
}
