// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Columns.h. Compiled without contraction; the order of operations is that
// of docs/Numerics.md, section 5.3.

#include "Simulator/Columns.h"
#include "Simulator/Functions.h"
#include "Support/Error.h"

#include <algorithm>

using namespace cim;
using namespace cim::sim;

//===----------------------------------------------------------------------===//
// What is drawn per chip
//===----------------------------------------------------------------------===//

std::vector<float> cim::sim::converterDraws(const Config &config, PhiloxKey key,
                                            const cim_block &block, Draw draw,
                                            float mean, float sigma) {
  std::vector<float> values;
  if (sigma == 0)
    return values;
  values.resize(block.n_count);
  uint32_t shared = config.effects.converter.columnsPerAdc;
  for (uint32_t n = 0; n < block.n_count; ++n)
    values[n] = mean + sigma * normalAt(key, draw, (block.column + n) / shared,
                                        0, block.array, 0);
  return values;
}

Columns::Columns(const Config &config, PhiloxKey key, const cim_layer &layer)
    : config(config), lines(config.effects.lines),
      effects(config.effects.converter), key(key), layer(layer) {
  while (bits < 31 && (int64_t(1) << bits) < int64_t(layer.adc_hi) + 1)
    ++bits;
  ++bits; // the sign
}

static constexpr uint32_t mostBits = 10;

std::string Columns::problem() const {
  if (!effects.thresholds())
    return "";
  int32_t half = layer.adc_hi + 1;
  if (bits > mostBits || half != 1 << (bits - 1) ||
      (layer.adc_lo != -half && layer.adc_lo != -layer.adc_hi))
    return rt::format("converters of codes %d .. %d: capacitor mismatch, "
                      "amplifier gain and INL take binary ones of at most %u "
                      "bits",
                      layer.adc_lo, layer.adc_hi, mostBits);
  size_t count = (size_t(1) << bits) - 1;
  if (!effects.inl.empty() && effects.inl.size() != count)
    return rt::format("adc.inl has %zu values, a converter of %u bits has %zu "
                      "thresholds",
                      effects.inl.size(), bits, count);
  return "";
}

/// A capacitor of a DAC, which deviates from its nominal size.
float Columns::capacitor(uint32_t array, uint32_t converter, uint32_t i,
                         float nominal) const {
  float deviation = effects.mismatch * std::sqrt(nominal);
  float normal = normalAt(key, Draw::Capacitor, converter, i, array, 0);
  return std::max(nominal + deviation * normal, nominal * 0.01f);
}

/// The sum of the capacitors whose bits are set.
static float charged(const float *capacitors, uint32_t bits) {
  float sum = 0;
  for (; bits; bits >>= 1, ++capacitors)
    if (bits & 1)
      sum = sum + *capacitors;
  return sum;
}

/// Shares of the range that a DAC makes of 0 .. 2^(bits-1)-1.
std::vector<float> Columns::sharesOf(uint32_t array, uint32_t converter) const {
  std::vector<float> shares;
  float c[mostBits + 1] = {};
  uint32_t half = 1u << (bits - 1);
  if (effects.architecture != Architecture::SarSplit) {
    for (uint32_t i = 0; i <= bits; ++i)
      c[i] = capacitor(array, converter, i, float(1u << std::min(i, bits - 1)));
    for (uint32_t code = 0; code < half; ++code)
      shares.push_back(charged(c, code) / c[bits]);
    return shares;
  }
  // Two arrays and a bridge between them.
  uint32_t low = std::max(1u, bits / 2), lows = (1u << low) - 1;
  for (uint32_t i = 0; i + 1 < bits; ++i)
    c[i] = capacitor(array, converter, i, float(1u << (i < low ? i : i - low)));
  float terminal = capacitor(array, converter, bits - 1, 1);
  float bridge =
      capacitor(array, converter, bits, float(lows + 1) / float(lows));
  float lowAll = terminal + charged(c, lows);
  float highAll = charged(c + low, (half - 1) >> low);
  float all = lowAll * highAll + bridge * (lowAll + highAll);
  for (uint32_t code = 0; code < half; ++code) {
    float ofLow = charged(c, code & lows) * bridge;
    float ofHigh = charged(c + low, code >> low) * (lowAll + bridge);
    shares.push_back((ofLow + ofHigh) / all);
  }
  return shares;
}

/// What a DAC makes of every code from -2^(bits-1)+1 up, in codes.
std::vector<float> Columns::levelsOf(uint32_t array, uint32_t converter) const {
  int32_t half = 1 << (bits - 1);
  std::vector<float> levels;
  if (effects.architecture == Architecture::Ideal) {
    for (int32_t code = 1 - half; code < half; ++code)
      levels.push_back(float(code));
    return levels;
  }
  std::vector<float> shares = sharesOf(array, converter);
  // Two arrays hand the whole level on, whatever it is.
  bool split = effects.architecture == Architecture::SarSplit;
  float gain = exp2Of(effects.amplifierGain * 0.166096404744368118f);
  for (int32_t code = 1 - half; code < half; ++code) {
    float q = shares[std::abs(code)];
    float level = q * float(half);
    if (effects.amplifierGain != 0)
      level = level / (1.0f + (split ? 1.0f : 1.0f + q) / gain);
    levels.push_back(code < 0 ? -level : level);
  }
  return levels;
}

/// Thresholds that a binary search never reaches from the wrong side.
static void searchOrder(std::vector<float> &t, size_t begin, size_t end,
                        float lower, float upper) {
  if (begin >= end)
    return;
  size_t middle = begin + (end - begin) / 2;
  t[middle] = std::min(std::max(t[middle], lower), upper);
  searchOrder(t, begin, middle, lower, t[middle]);
  searchOrder(t, middle + 1, end, t[middle], upper);
}

Thresholds Columns::thresholdsOf(uint32_t array, uint32_t converter) {
  if (effects.architecture == Architecture::Ramp)
    converter = 0;
  if (effects.architecture == Architecture::Ideal)
    array = converter = 0;
  Thresholds &made = known[{array, converter}];
  if (made)
    return made;
  std::vector<float> t = levelsOf(array, converter);
  float half = layer.adc_rounding == CIM_NEAREST_EVEN ? 0.5f : 0.0f;
  for (size_t j = 0; j < t.size(); ++j) {
    t[j] = t[j] - half;
    if (!effects.inl.empty())
      t[j] = t[j] + effects.inl[j];
  }
  if (effects.architecture == Architecture::Sar ||
      effects.architecture == Architecture::SarSplit)
    searchOrder(t, 0, t.size(), -HUGE_VALF, HUGE_VALF);
  else
    for (size_t j = 1; j < t.size(); ++j)
      t[j] = std::max(t[j], t[j - 1]);
  made = std::make_shared<const std::vector<float>>(std::move(t));
  return made;
}

ColumnTables Columns::tablesOf(const cim_block &block, float gain) {
  ColumnTables tables;
  float full =
      lines.fullScale != 0 ? lines.fullScale * gain : float(layer.adc_hi + 1);
  float columns = float(config.array.columns);
  tables.exponential = lines.exponential;
  for (uint32_t n = 0; n < block.n_count; ++n) {
    uint32_t column = block.column + n;
    if (lines.attenuation != 0 && columns != 0)
      tables.attenuation.push_back(1.0f - lines.attenuation *
                                              (float(column + 1) / columns));
    if (lines.compression != 0) {
      float k = lines.compression;
      if (lines.spread != 0)
        k = k * (1.0f + lines.spread * normalAt(key, Draw::Line, column, 0,
                                                block.array, 0));
      tables.compression.push_back(k > 0 ? k : 0);
      tables.fullScale.push_back(full);
    }
    if (lines.headroom != 0)
      tables.limit.push_back(lines.headroom * full);
    if (effects.thresholds()) {
      tables.thresholds.push_back(
          thresholdsOf(block.array, column / effects.columnsPerAdc));
    }
  }
  return tables;
}

/// A line through the codes of a ramp from minus to plus half of the range.
Measured Columns::measure(const cim_block &block, uint32_t n) {
  const Effects &noise = config.effects;
  uint32_t converter = (block.column + n) / effects.columnsPerAdc;
  int64_t count = effects.calibrationReads;
  float half = float(layer.adc_hi + 1) * 0.5f, step = half / float(count);
  auto draw = [&](Draw what, uint32_t read, float sigma) {
    return sigma == 0
               ? 0
               : sigma * normalAt(key, what, converter, read, block.array, 0);
  };
  float gain = 1.0f + draw(Draw::AdcGain, 0, noise.adcGain);
  float offset = draw(Draw::AdcOffset, 0, noise.adcOffset);
  ColumnTables tables;
  if (effects.thresholds())
    tables.thresholds = {thresholdsOf(block.array, converter)};
  bool floors = layer.adc_rounding != CIM_NEAREST_EVEN;
  int64_t sum = 0, product = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = 2 * i + 1 - count;
    float x = float(place) * step * gain + offset;
    x = x + draw(Draw::Calibrate, uint32_t(i), noise.adcNoise);
    x = tables.compare(0, x);
    x = floors ? std::floor(x) : std::nearbyintf(x);
    x = std::min(std::max(x, float(layer.adc_lo)), float(layer.adc_hi));
    sum += int64_t(x);
    product += int64_t(x) * place;
  }
  float places = float(count * (count * count - 1) / 3);
  Measured measured = {float(product) / (places * step),
                       float(sum) / float(count) + (floors ? 0.5f : 0.0f)};
  // A converter that does not follow its input cannot be corrected.
  return measured.gain >= 0.01f ? measured : Measured();
}

ColumnStage ColumnTables::from(uint32_t n) const {
  auto at = [n](const auto &table) {
    return table.empty() ? nullptr : table.data() + n;
  };
  return {at(attenuation), at(compression), at(fullScale), at(limit),
          exponential};
}

//===----------------------------------------------------------------------===//
// What happens per read
//===----------------------------------------------------------------------===//

static float compress(float z, float k, float full, bool exponential) {
  float u = k * (std::fabs(z) / full);
  if (!exponential)
    return z / (1.0f + u);
  if (!(u >= 0x1p-12f))
    return z;
  return z * ((1.0f - exp2Of(-u * inverseLn2)) / u);
}

float ColumnTables::bend(uint32_t n, float x) const {
  if (!attenuation.empty())
    x = x * attenuation[n];
  if (!compression.empty())
    x = compress(x, compression[n], fullScale[n], exponential);
  if (limit.empty())
    return x;
  x = x > -limit[n] ? x : -limit[n];
  return x < limit[n] ? x : limit[n];
}

/// Those of a converter worth its name lie near whole codes: the search starts
/// there.
float cim::sim::codeOf(const std::vector<float> &thresholds, float x) {
  auto count = uint32_t(thresholds.size());
  float half = float(count + 1) * 0.5f, guess = x + half;
  guess = guess > 0 ? guess : 0;
  uint32_t at = guess < float(count) ? uint32_t(guess) : count;
  while (at > 0 && !(x >= thresholds[at - 1]))
    --at;
  while (at < count && x >= thresholds[at])
    ++at;
  return float(at) - half;
}

void Guess::include(const std::vector<float> &thresholds) {
  auto count = uint32_t(thresholds.size());
  // As the kernel computes it; it grows with x.
  auto guess = [&](float x) {
    float i = std::floor(x + start);
    return uint32_t(std::min(std::max(i, 0.0f), float(count)));
  };
  for (uint32_t reached = 0; reached <= count; ++reached) {
    uint32_t least = reached ? guess(thresholds[reached - 1]) : 0;
    uint32_t most = reached < count ? guess(thresholds[reached]) : count;
    above = std::max(above, reached - std::min(least, reached));
    below = std::max(below, std::max(most, reached) - reached);
  }
}
