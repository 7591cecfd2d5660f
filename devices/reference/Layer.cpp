// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Layer.h.

#include "Layer.h"
#include "Columns.h"
#include "Functions.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

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

/// sums[n] = sum over k of values[k] * matrix[k][n].
template <typename Value, typename Sum>
static void product(const cim_block &b, const std::vector<Value> &values,
                    const std::vector<int32_t> &matrix,
                    std::vector<Sum> &sums) {
  sums.assign(b.n_count, 0);
  for (uint32_t k = 0; k < b.k_count; ++k) {
    if (values[k] == 0)
      continue;
    const int32_t *row = matrix.data() + size_t(k) * b.n_count;
    for (uint32_t n = 0; n < b.n_count; ++n)
      sums[n] += Sum(values[k]) * row[n];
  }
}

static float round(cim_rounding rounding, float x) {
  return rounding == CIM_NEAREST_EVEN ? std::nearbyint(x) : std::floor(x);
}

namespace {
/// Integer sums of one read, per column of a block.
struct Sums {
  std::vector<int64_t> products;     // q G
  std::vector<int64_t> powers;       // q^2 U
  std::vector<int64_t> jitter;       // J G
  std::vector<int64_t> loads, drops; // abs(q G), q D
};
} // namespace

/// All that one read sums up. Without an effect its sums are 0.
static void sumUp(const Chip &chip, const Layer &layer, const Block &block,
                  const Conversion &at, const std::vector<int32_t> &q,
                  Sums &sums) {
  const cim_block &b = *block.block;
  product(b, q, block.weights, sums.products);
  if (!chip.isAnalog())
    return;
  std::vector<int32_t> squares(b.k_count), pulses(b.k_count);
  for (uint32_t k = 0; k < b.k_count; ++k) {
    squares[k] = powerOf(layer.slices, q[k]);
    pulses[k] = jitterOf(chip, at, b.k + k, q[k]);
  }
  sums.powers.assign(b.n_count, 0);
  if (!block.powers.empty())
    product(b, squares, block.powers, sums.powers);
  product(b, pulses, block.weights, sums.jitter);
  sums.loads.assign(b.n_count, 0);
  sums.drops.assign(b.n_count, 0);
  for (uint32_t k = 0; k < b.k_count && hasWires(chip); ++k)
    for (uint32_t n = 0; n < b.n_count; ++n) {
      int64_t weight = block.weights[k * b.n_count + n];
      sums.loads[n] += std::abs(q[k] * weight);
      sums.drops[n] +=
          q[k] * wireWeight(chip, weight, k, b.k_count, layer.dropCodes);
    }
}

/// What a column's current is when it reaches the converter: x of the page.
static float analogValue(const Chip &chip, const Layer &layer,
                         const Conversion &at, const Sums &sums, uint32_t n) {
  float a = float(sums.products[n]);
  if (!chip.isAnalog())
    return a * at.gain;
  a = a + float(sums.jitter[n]) * jitterUnit(chip);
  if (layer.z != 1)
    a = a * (1.0f / float(layer.z));
  a = withWires(chip, at, {layer.z, layer.dropCodes},
                {sums.loads[n], sums.drops[n]}, a);
  bool joint = layer.readSigma != 0 && isLinear(chip);
  if (layer.readSigma != 0 && !joint)
    a = withReadNoise(chip, at, layer.readSigma, sums.powers[n], a);
  float x = a * at.gain;
  x = withAttenuation(chip, at, x);
  x = withCompression(chip, at, x);
  x = withHeadroom(chip, at, x);
  x = withConverterGain(chip, at, x);
  x = withConverterOffset(chip, at, x);
  return joint ? withBothNoises(chip, at, layer.readSigma, sums.powers[n], x)
               : withConverterNoise(chip, at, x);
}

/// Section 4: output channel n of one window.
static void store(const Layer &layer, float sum, uint32_t n, void *output,
                  size_t at) {
  const cim_layer &l = layer.layer;
  float y = sum * l.scale[n];
  y = y + layer.bias[n];
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

/// What one read of a column is worth: v of the page.
static float valueOf(const Chip &chip, const Layer &layer, const Block &block,
                     const Conversion &at, const Sums &sums, uint32_t n) {
  if (chip.mode == Mode::Ideal)
    return float(sums.products[n]);
  float x = analogValue(chip, layer, at, sums, n);
  float code = codeOf(layer.layer, block.thresholds[n], x);
  return layer.layer.adc_rounding == CIM_MID_RISE ? code + 0.5f : code;
}

namespace {
/// One window's numbers.
struct Window {
  std::vector<int32_t> q;
  std::vector<float> results; // S of the page
  uint32_t number, image;
};
} // namespace

/// Adds a block's share to S: that of every read.
static void addBlock(const Chip &chip, const Layer &layer, const Block &block,
                     Window &w) {
  const cim_block &b = *block.block;
  const Slices &slices = layer.slices;
  std::vector<int32_t> q(b.k_count);
  Sums sums;
  for (uint32_t read = 0; read < slices.reads(); ++read) {
    for (uint32_t k = 0; k < b.k_count; ++k)
      q[k] = inputOf(slices, w.q[b.k + k], read);
    auto conversion = [&](uint32_t n) -> Conversion {
      uint32_t ordinal = block.ordinal[n] * slices.reads() + read;
      return {&layer.layer, &b,       block.gain, ordinal,
              b.n + n,      w.number, w.image};
    };
    sumUp(chip, layer, block, conversion(0), q, sums);
    float weight = std::ldexp(1.0f, int(slices.bits * read));
    for (uint32_t n = 0; n < b.n_count; ++n) {
      float code = valueOf(chip, layer, block, conversion(n), sums, n);
      float coefficient = block.coefficients[n] * weight;
      float term = code * coefficient;
      w.results[b.n + n] = w.results[b.n + n] + term;
    }
  }
}

void cim::reference::runLayer(const Chip &chip, const Layer &layer,
                              const cim_stream &stream) {
  const cim_layer &l = layer.layer;
  size_t imageBytes = size_t(l.in_h) * l.in_w * l.in_c;
  Window window = {};
  window.q.resize(size_t(l.kernel_h) * l.kernel_w * l.in_c);
  size_t at = 0;
  for (uint32_t i = 0; i < stream.image_count; ++i) {
    const char *image =
        static_cast<const char *>(stream.input) + i * imageBytes;
    window.image = uint32_t(stream.first_image) + i;
    for (uint32_t oh = 0; oh < l.out_h; ++oh)
      for (uint32_t ow = 0; ow < l.out_w; ++ow) {
        gather(l, image, oh, ow, window.q);
        window.number = oh * l.out_w + ow;
        window.results.assign(l.out_c, 0.0f);
        for (const Block &block : layer.blocks)
          addBlock(chip, layer, block, window);
        for (uint32_t n = 0; n < l.out_c; ++n, ++at)
          store(layer, window.results[n], n, stream.output, at);
      }
  }
}
