// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Layer.h.

#include "Layer.h"
#include "Cells.h"
#include "Columns.h"
#include "Functions.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

/// R of the page: what all columns together give for inputs of 1.
static int64_t totalOf(const std::vector<int32_t> &weights, uint32_t columns) {
  std::vector<int64_t> sums(columns);
  for (size_t i = 0; i < weights.size(); ++i)
    sums[i % columns] += weights[i];
  int64_t total = 0;
  for (int64_t sum : sums)
    total += std::abs(sum);
  return total;
}

static std::vector<int32_t>
weightsOf(const Cells &cells, const cim_block &block, int32_t z, float age) {
  std::vector<int32_t> weights;
  for (uint32_t k = 0; k < block.k_count; ++k)
    for (uint32_t n = 0; n < block.n_count; ++n)
      weights.push_back(cells.conductance(block, k, n, z, age));
  return weights;
}

/// Global drift compensation: the share that the block lost since it was new.
static float compensationOf(const Chip &chip, const Cells &cells,
                            const Block &block, int32_t z) {
  if (!cells.isCompensated())
    return 1;
  const cim_block &b = *block.block;
  int64_t now = totalOf(block.weights, b.n_count);
  int64_t fresh = totalOf(weightsOf(cells, b, z, 0), b.n_count);
  return now == 0 ? 1 : float(fresh) / float(now);
}

Layer cim::reference::prepareLayer(const Chip &chip, const cim_layer &layer) {
  Cells cells(chip);
  Layer result = {layer, cells.codesPerLevel(layer), 0, {}};
  float perUnit = 0;
  if (cells.hasReadNoise()) {
    perUnit = cells.variancesPerUnit(layer);
    result.readSigma = cells.readSigma(perUnit);
  }
  std::vector<uint32_t> covered(layer.out_c, 0);
  for (uint32_t i = 0; i < layer.block_count; ++i) {
    const cim_block &block = layer.blocks[i];
    Block &out = result.blocks.emplace_back();
    out.block = &block;
    out.weights = weightsOf(cells, block, result.z, chip.config.cells.age);
    out.compensation = compensationOf(chip, cells, out, result.z);
    for (uint32_t k = 0; k < block.k_count && cells.hasReadNoise(); ++k)
      for (uint32_t n = 0; n < block.n_count; ++n)
        out.powers.push_back(cells.variance(block, k, n, perUnit));
    for (uint32_t n = 0; n < block.n_count; ++n) {
      out.ordinal.push_back(covered[block.n + n]++);
      out.thresholds.push_back(
          thresholdsOf(chip, layer, block, block.column + n));
    }
  }
  return result;
}

static int32_t inputAt(const cim_layer &l, const void *input, size_t at) {
  return l.in_type == CIM_I8 ? static_cast<const int8_t *>(input)[at]
                             : static_cast<const uint8_t *>(input)[at];
}

std::string cim::reference::checkInputs(const Chip &chip, const cim_layer &l,
                                        const cim_stream &stream) {
  uint32_t bits = chip.config.inputBits;
  int32_t lo = l.in_type == CIM_I8 ? -(1 << (bits - 1)) : 0;
  int32_t hi = lo + (1 << bits) - 1;
  size_t count = size_t(l.in_h) * l.in_w * l.in_c * stream.image_count;
  for (size_t i = 0; i < count; ++i) {
    int32_t q = inputAt(l, stream.input, i);
    if (q < lo || q > hi)
      return "input " + std::to_string(q) + ", the DAC takes " +
             std::to_string(lo) + " .. " + std::to_string(hi);
  }
  return "";
}

/// The inputs of one window, q[k] in the order of matrix rows.
static void gather(const cim_layer &l, const void *image, uint32_t oh,
                   uint32_t ow, std::vector<int32_t> &q) {
  uint32_t channels = l.in_c / l.groups;
  size_t k = 0;
  for (uint32_t g = 0; g < l.groups; ++g)
    for (uint32_t kh = 0; kh < l.kernel_h; ++kh)
      for (uint32_t kw = 0; kw < l.kernel_w; ++kw) {
        int64_t y = int64_t(oh) * l.stride_h + int64_t(kh) * l.dilation_h -
                    int64_t(l.pad_top);
        int64_t x = int64_t(ow) * l.stride_w + int64_t(kw) * l.dilation_w -
                    int64_t(l.pad_left);
        bool inside = y >= 0 && y < l.in_h && x >= 0 && x < l.in_w;
        for (uint32_t c = 0; c < channels; ++c, ++k)
          q[k] =
              inside
                  ? inputAt(l, image,
                            size_t(y * l.in_w + x) * l.in_c + g * channels + c)
                  : 0;
      }
}

/// sums[n] = sum over k of q[k]^power * matrix[k][n].
static void product(const cim_block &b, const int32_t *q, int power,
                    const std::vector<int32_t> &matrix,
                    std::vector<int32_t> &sums) {
  sums.assign(b.n_count, 0);
  if (matrix.empty())
    return;
  for (uint32_t k = 0; k < b.k_count; ++k) {
    int32_t value = power == 2 ? q[k] * q[k] : q[k];
    if (value == 0)
      continue;
    const int32_t *row = matrix.data() + size_t(k) * b.n_count;
    for (uint32_t n = 0; n < b.n_count; ++n)
      sums[n] += value * row[n];
  }
}

static float round(cim_rounding rounding, float x) {
  return rounding == CIM_FLOOR ? std::floor(x) : std::nearbyint(x);
}

/// What a column's current is when it reaches the converter: x of the page.
static float analogValue(const Chip &chip, const Layer &layer,
                         const Conversion &at, int32_t sum, int32_t power) {
  float a = float(sum);
  if (layer.z != 1)
    a = a * (1.0f / float(layer.z));
  if (!chip.isAnalog())
    return a * at.block->gain;
  if (layer.readSigma != 0)
    a = withReadNoise(chip, at, layer.readSigma, power, a);
  float x = a * at.block->gain;
  x = withAttenuation(chip, at, x);
  x = withCompression(chip, at, x);
  x = withHeadroom(chip, at, x);
  x = withConverterGain(chip, at, x);
  x = withConverterOffset(chip, at, x);
  return withConverterNoise(chip, at, x);
}

/// What the converter makes of it: v of the page.
static float convert(const cim_layer &l, const std::vector<float> &thresholds,
                     float x) {
  float code = round(l.adc_rounding, x);
  if (!thresholds.empty()) {
    code = float(-l.adc_hi - 1);
    for (float threshold : thresholds)
      code += x >= threshold;
  }
  return clamp(code, float(l.adc_lo), float(l.adc_hi));
}

/// Section 4: output channel n of one window.
static void store(const cim_layer &l, float sum, uint32_t n, void *output,
                  size_t at) {
  float y = sum * l.scale[n];
  y = y + l.bias[n];
  if (l.out_type != CIM_F32)
    y = round(l.out_rounding, y);
  y = clamp(y, l.lo, l.hi);
  if (l.out_type == CIM_F32)
    static_cast<float *>(output)[at] = y;
  else if (l.out_type == CIM_I8)
    static_cast<int8_t *>(output)[at] = int8_t(y);
  else
    static_cast<uint8_t *>(output)[at] = uint8_t(y);
}

namespace {
/// One window's numbers.
struct Window {
  std::vector<int32_t> q, sums, powers;
  std::vector<float> results; // S of the page

  explicit Window(const cim_layer &l)
      : q(size_t(l.kernel_h) * l.kernel_w * l.in_c), results(l.out_c) {}
};
} // namespace

/// Adds a block's share to S.
static void addBlock(const Chip &chip, const Layer &layer, const Block &block,
                     uint32_t window, uint32_t image, Window &w) {
  const cim_layer &l = layer.layer;
  const cim_block &b = *block.block;
  product(b, &w.q[b.k], 1, block.weights, w.sums);
  product(b, &w.q[b.k], 2, block.powers, w.powers);
  for (uint32_t n = 0; n < b.n_count; ++n) {
    float v = float(w.sums[n]);
    float coefficient = l.significance[size_t(b.plane) * l.out_c + b.n + n];
    if (chip.mode != Mode::Ideal) {
      Conversion at = {&l, &b, block.ordinal[n], b.n + n, window, image};
      float x = analogValue(chip, layer, at, w.sums[n], w.powers[n]);
      v = convert(l, block.thresholds[n], x);
      coefficient = coefficient / b.gain;
      coefficient = coefficient * block.compensation;
    }
    float term = v * coefficient;
    w.results[b.n + n] = w.results[b.n + n] + term;
  }
}

void cim::reference::runLayer(const Chip &chip, const Layer &layer,
                              const cim_stream &stream) {
  const cim_layer &l = layer.layer;
  size_t imageBytes = size_t(l.in_h) * l.in_w * l.in_c;
  Window window(l);
  size_t at = 0;
  for (uint32_t i = 0; i < stream.image_count; ++i) {
    const char *image =
        static_cast<const char *>(stream.input) + i * imageBytes;
    for (uint32_t oh = 0; oh < l.out_h; ++oh)
      for (uint32_t ow = 0; ow < l.out_w; ++ow) {
        gather(l, image, oh, ow, window.q);
        std::fill(window.results.begin(), window.results.end(), 0.0f);
        for (const Block &block : layer.blocks)
          addBlock(chip, layer, block, oh * l.out_w + ow,
                   uint32_t(stream.first_image) + i, window);
        for (uint32_t n = 0; n < l.out_c; ++n, ++at)
          store(l, window.results[n], n, stream.output, at);
      }
  }
}
