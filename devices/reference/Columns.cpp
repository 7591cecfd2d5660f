// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Columns.h. Every line is one binary32 operation, or several without
// contraction, as the page says.

#include "Columns.h"
#include "Functions.h"
#include "Inputs.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

static float normalOf(const Chip &chip, Draw draw, uint32_t column,
                      uint32_t word1, uint32_t word2, uint32_t word3) {
  return normal(randomBits(chip.key(), draw, column, word1, word2, word3));
}

/// A deviate of one conversion.
static float perRead(const Chip &chip, Draw draw, const Conversion &at) {
  return normalOf(chip, draw, at.column, at.window, at.image,
                  at.layer->id << 16 | at.ordinal);
}

/// A deviate of one converter.
static float perConverter(const Chip &chip, Draw draw, const Conversion &at) {
  uint32_t converter =
      at.physicalColumn() / chip.config.converter.columnsPerAdc;
  return normalOf(chip, draw, converter, 0, at.block->array, 0);
}

int64_t cim::reference::wireWeight(const Chip &chip, int64_t weight, int64_t k,
                                   int64_t rows, int64_t y) {
  int64_t left = rows - k, all = rows * rows;
  int64_t magnitude = std::abs(weight) * y * (all - left * left);
  int64_t code =
      std::min<int64_t>((2 * magnitude + all) / (2 * all), chip.mostCodes);
  return weight < 0 ? -code : code;
}

/// R of the page: a wire's resistance over a cell's.
static float wireResistance(const LineConfig &lines) {
  float warmer = 0.00451f * (lines.temperature - 300);
  return lines.wireResistance * positive(1 + warmer) * lines.cellConductance;
}

bool cim::reference::hasWires(const Chip &chip) {
  return chip.isAnalog() && wireResistance(chip.config.lines) != 0;
}

float cim::reference::withWires(const Chip &chip, const Conversion &at,
                                WireCodes codes, const WireSums &sums,
                                float a) {
  if (!hasWires(chip))
    return a;
  float r = wireResistance(chip.config.lines);
  float levels = float(std::max(-chip.config.cellLo, chip.config.cellHi));
  float unit =
      1 / float(codes.z) / (levels * float(largestInput(chip, *at.layer)));
  float rows = float(at.block->k_count * at.block->repeat);
  float l = rows * r * (float(sums.load) * unit);
  float slope = l * 0.05f - 0.2f;
  float c = clamp(l * (slope * l + 0.5f), 0, 1);
  return a - c * (float(sums.drop) * (1 / float(codes.y * codes.z)));
}

float cim::reference::withReadNoise(const Chip &chip, const Conversion &at,
                                    float sigma, int64_t power, float a) {
  float deviation = sigma * std::sqrt(float(power));
  float noise = deviation * perRead(chip, Draw::Read, at);
  return a + noise;
}

//===----------------------------------------------------------------------===//
// Lines
//===----------------------------------------------------------------------===//

/// F of the page, in codes.
static float fullScale(const Chip &chip, const Conversion &at) {
  const LineConfig &lines = chip.config.lines;
  return lines.fullScale == 0 ? float(at.layer->adc_hi + 1)
                              : lines.fullScale * at.gain;
}

float cim::reference::withAttenuation(const Chip &chip, const Conversion &at,
                                      float z) {
  float attenuation = chip.config.lines.attenuation;
  if (attenuation == 0)
    return z;
  float place =
      float(at.physicalColumn() + 1) / float(chip.config.arrayColumns);
  return z * (1 - attenuation * place);
}

/// k[col] of the page.
static float compressionOf(const Chip &chip, const Conversion &at) {
  const LineConfig &lines = chip.config.lines;
  float deviate =
      normalOf(chip, Draw::Line, at.physicalColumn(), 0, at.block->array, 0);
  float spread = lines.spread * deviate;
  return positive(lines.compression * (1 + spread));
}

float cim::reference::withCompression(const Chip &chip, const Conversion &at,
                                      float z) {
  if (chip.config.lines.compression == 0)
    return z;
  float u = compressionOf(chip, at) * (std::fabs(z) / fullScale(chip, at));
  if (chip.config.lines.curve == "rational")
    return z / (1 + u);
  if (u < 0x1p-12f)
    return z;
  float decay = exp2(-u * float(1 / ln2));
  return z * ((1 - decay) / u);
}

float cim::reference::withHeadroom(const Chip &chip, const Conversion &at,
                                   float z) {
  if (chip.config.lines.headroom == 0)
    return z;
  float most = chip.config.lines.headroom * fullScale(chip, at);
  return clamp(z, -most, most);
}

//===----------------------------------------------------------------------===//
// Converters
//===----------------------------------------------------------------------===//

float cim::reference::withConverterGain(const Chip &chip, const Conversion &at,
                                        float x) {
  if (chip.config.adcGain == 0)
    return x;
  float deviation = chip.config.adcGain * perConverter(chip, Draw::Gain, at);
  return x * (1 + deviation);
}

float cim::reference::withConverterOffset(const Chip &chip,
                                          const Conversion &at, float x) {
  if (chip.config.adcOffset == 0)
    return x;
  float offset = chip.config.adcOffset * perConverter(chip, Draw::Offset, at);
  return x + offset;
}

float cim::reference::withConverterNoise(const Chip &chip, const Conversion &at,
                                         float x) {
  if (chip.config.adcNoise == 0)
    return x;
  float noise = chip.config.adcNoise * perRead(chip, Draw::Convert, at);
  return x + noise;
}

bool cim::reference::isLinear(const Chip &chip) {
  const LineConfig &lines = chip.config.lines;
  return lines.attenuation == 0 && lines.compression == 0 &&
         lines.headroom == 0;
}

float cim::reference::withBothNoises(const Chip &chip, const Conversion &at,
                                     float sigma, int64_t power, float x) {
  float read = withConverterGain(chip, at, sigma * at.gain);
  float converter = chip.config.adcNoise;
  float variance = float(power) * (read * read) + converter * converter;
  float noise = std::sqrt(variance) * perRead(chip, Draw::Read, at);
  return x + noise;
}

/// Bits of a converter whose largest code is `hi`; 0 when there is none.
static int bitsOf(int32_t hi) {
  for (int bits = 2; bits <= 10; ++bits)
    if (hi == (1 << (bits - 1)) - 1)
      return bits;
  return 0;
}

static bool hasDac(const Chip &chip) {
  const ConverterConfig &c = chip.config.converter;
  return c.architecture != "ideal" && (c.mismatch != 0 || c.amplifierGain != 0);
}

static bool hasThresholds(const Chip &chip) {
  return chip.isAnalog() &&
         (hasDac(chip) || !chip.config.converter.inl.empty());
}

std::string cim::reference::checkConverter(const Chip &chip,
                                           const cim_layer &layer) {
  if (!hasThresholds(chip))
    return "";
  int bits = bitsOf(layer.adc_hi);
  size_t entries = chip.config.converter.inl.size();
  if (!bits)
    return "a converter with thresholds has 2 to 10 bits, its largest code is "
           "not " +
           std::to_string(layer.adc_hi);
  if (entries && entries != (size_t(1) << bits) - 1)
    return "the table of INL has " + std::to_string(entries) +
           " entries, not one per threshold";
  return "";
}

static bool isSplit(const Chip &chip) {
  return chip.config.converter.architecture == "sar-split";
}

/// h of the page.
static int lowBits(int bits) { return bits / 2; }

/// Nominal sizes of the capacitors 0 .. bits.
static std::vector<float> nominalSizes(const Chip &chip, int bits) {
  std::vector<float> sizes;
  int h = lowBits(bits);
  for (int i = 0; i < bits - 1; ++i)
    sizes.push_back(std::ldexp(1.0f, isSplit(chip) && i >= h ? i - h : i));
  if (isSplit(chip)) {
    float most = std::ldexp(1.0f, h);
    sizes.push_back(1);
    sizes.push_back(most / (most - 1));
  } else {
    sizes.push_back(std::ldexp(1.0f, bits - 1));
    sizes.push_back(std::ldexp(1.0f, bits - 1));
  }
  return sizes;
}

/// C[0], C[1], ... of a converter.
static std::vector<float> capacitors(const Chip &chip, int bits, uint32_t array,
                                     uint32_t converter) {
  std::vector<float> sizes = nominalSizes(chip, bits);
  for (size_t i = 0; i < sizes.size(); ++i) {
    float nominal = sizes[i];
    float sigma = chip.config.converter.mismatch * std::sqrt(nominal);
    float error = sigma * normalOf(chip, Draw::Capacitor, converter,
                                   uint32_t(i), array, 0);
    float size = nominal + error, least = nominal * 0.01f;
    sizes[i] = size > least ? size : least;
  }
  return sizes;
}

/// The sum of the C[i] of the set bits, from..to, of m.
static float charged(const std::vector<float> &sizes, int m, int from, int to) {
  float sum = 0;
  for (int i = from; i < to; ++i)
    if (m >> i & 1)
      sum = sum + sizes[size_t(i)];
  return sum;
}

/// q of the page for a code of magnitude m.
static float dacShare(const Chip &chip, const std::vector<float> &sizes,
                      int bits, int m) {
  if (!isSplit(chip))
    return charged(sizes, m, 0, bits) / sizes.back();
  int h = lowBits(bits), all = -1;
  float bridge = sizes.back();
  float lows = sizes[size_t(bits) - 1] + charged(sizes, all, 0, h);
  float highs = charged(sizes, all, h, bits - 1);
  float whole = lows * highs + bridge * (lows + highs);
  float low = charged(sizes, m, 0, h) * bridge;
  float high = charged(sizes, m, h, bits - 1) * (lows + bridge);
  return (low + high) / whole;
}

/// l of the page for code m.
static float dacLevel(const Chip &chip, const std::vector<float> &sizes,
                      int bits, int m) {
  float q = dacShare(chip, sizes, bits, std::abs(m));
  float level = q * std::ldexp(1.0f, bits - 1);
  if (m < 0)
    level = -level;
  float gain = chip.config.converter.amplifierGain;
  if (gain == 0)
    return level;
  float a = exp2(gain * float(std::log2(10.0) / 20));
  return level / (1 + (isSplit(chip) ? 1 : 1 + q) / a);
}

/// A binary search compares with T[j] only between what it compared before.
static void searchOrder(std::vector<float> &t, size_t begin, size_t end,
                        float lower, float upper) {
  if (begin >= end)
    return;
  size_t middle = (begin + end) / 2;
  t[middle] = clamp(t[middle], lower, upper);
  searchOrder(t, begin, middle, lower, t[middle]);
  searchOrder(t, middle + 1, end, t[middle], upper);
}

std::vector<float> cim::reference::thresholdsOf(const Chip &chip,
                                                const cim_layer &layer,
                                                const cim_block &block,
                                                uint32_t column) {
  std::vector<float> t;
  if (!hasThresholds(chip))
    return t;
  const ConverterConfig &c = chip.config.converter;
  int bits = bitsOf(layer.adc_hi);
  bool sar = c.architecture == "sar" || isSplit(chip);
  uint32_t converter = sar ? column / c.columnsPerAdc : 0;
  std::vector<float> sizes = capacitors(chip, bits, block.array, converter);
  float half = layer.adc_rounding == CIM_NEAREST_EVEN ? 0.5f : 0.0f;
  int least = -(1 << (bits - 1)) + 1;
  for (int m = least; m <= layer.adc_hi; ++m) {
    float level = hasDac(chip) ? dacLevel(chip, sizes, bits, m) : float(m);
    level = level - half;
    if (!c.inl.empty())
      level = level + c.inl[size_t(m - least)];
    t.push_back(level);
  }
  if (sar)
    searchOrder(t, 0, t.size(), -INFINITY, INFINITY);
  else
    for (size_t j = 1; j < t.size(); ++j)
      t[j] = std::max(t[j], t[j - 1]);
  return t;
}

float cim::reference::codeOf(const cim_layer &l,
                             const std::vector<float> &thresholds, float x) {
  float code =
      l.adc_rounding == CIM_NEAREST_EVEN ? std::nearbyint(x) : std::floor(x);
  if (!thresholds.empty()) {
    code = float(-l.adc_hi - 1);
    for (float threshold : thresholds)
      code += x >= threshold;
  }
  return clamp(code, float(l.adc_lo), float(l.adc_hi));
}

Measured
cim::reference::measureConverter(const Chip &chip, const cim_layer &layer,
                                 const cim_block &block, uint32_t column,
                                 const std::vector<float> &thresholds) {
  int64_t count = chip.config.converter.calibrationReads;
  Conversion at = {&layer, &block, 0, 0, column - block.column + block.n, 0, 0};
  uint32_t converter = column / chip.config.converter.columnsPerAdc;
  float step = float(layer.adc_hi + 1) * 0.5f / float(count);
  int64_t sum = 0, product = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t m = 2 * i + 1 - count;
    float x = withConverterGain(chip, at, float(m) * step);
    x = withConverterOffset(chip, at, x);
    if (chip.config.adcNoise != 0) {
      float noise =
          chip.config.adcNoise * normalOf(chip, Draw::Calibrate, converter,
                                          uint32_t(i), block.array, 0);
      x = x + noise;
    }
    auto code = int64_t(codeOf(layer, thresholds, x));
    sum += code;
    product += m * code;
  }
  float places = float(count * (count * count - 1) / 3);
  float half = layer.adc_rounding == CIM_NEAREST_EVEN ? 0.0f : 0.5f;
  Measured result = {float(product) / (places * step),
                     float(sum) / float(count) + half};
  // A converter that does not follow its input cannot be corrected.
  return result.gain >= 0.01f ? result : Measured();
}
