// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Analog.h. Every line is one binary32 operation, or several without
// contraction, as the page says.

#include "Analog.h"
#include "Random.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

/// "draw" in the table of counters.
enum Draw : uint32_t { Read, Converter, Cell, Gain, Offset };

static Key keyOf(const Chip &chip) { return Key(chip.seed, chip.trial); }

/// A deviate of one conversion.
static float perRead(const Chip &chip, Draw draw, const Conversion &at) {
  return normalAt(keyOf(chip), draw, at.column, at.window, at.image,
                  at.layer << 16 | at.ordinal);
}

/// A deviate of one physical column.
static float perColumn(const Chip &chip, Draw draw, const Conversion &at) {
  return normalAt(keyOf(chip), draw, at.physicalColumn(), 0, at.block->array,
                  0);
}

int32_t cim::reference::codesPerLevel(const Chip &chip,
                                      const cim_layer &layer) {
  float sigma = chip.isAnalog() ? chip.config.staticVariation : 0;
  if (sigma == 0)
    return 1;
  uint32_t repeat = 1;
  for (uint32_t i = 0; i < layer.block_count; ++i)
    repeat = std::max(repeat, layer.blocks[i].repeat);
  int32_t levels = std::max(-chip.config.cellLo, chip.config.cellHi);
  float most = float(levels) * float(repeat) * (1.0f + 4.0f * sigma);
  return std::max(2, int32_t(std::floor(127.0f / most)));
}

/// A cell of level t on this chip: c of the page.
static float withStaticVariation(const Chip &chip, uint32_t array, uint32_t row,
                                 uint32_t column, int32_t t) {
  float deviate = normalAt(keyOf(chip), Cell, column, row, array, 0);
  float spread = chip.config.staticVariation * deviate;
  return float(t) * (1.0f + spread);
}

int32_t cim::reference::conductance(const Chip &chip, const cim_block &block,
                                    uint32_t k, uint32_t n, int32_t z) {
  const Array &array = chip.arrays.at(block.array);
  uint32_t column = block.column + n;
  int32_t levels = 0;
  float sum = 0;
  for (uint32_t r = 0; r < block.repeat; ++r) {
    uint32_t row = block.row + k * block.repeat + r;
    int32_t t = array.at(row, column);
    levels += t;
    if (z != 1 && t != 0)
      sum = sum + withStaticVariation(chip, block.array, row, column, t);
  }
  if (z == 1)
    return levels;
  float code = std::nearbyint(sum * float(z));
  return int32_t(std::clamp(code, -127.0f, 127.0f));
}

float cim::reference::withReadNoise(const Chip &chip, const Conversion &at,
                                    int64_t power, float a) {
  if (chip.config.read == 0)
    return a;
  float sigma = chip.config.read * std::sqrt(float(power));
  float noise = sigma * perRead(chip, Read, at);
  return a + noise;
}

float cim::reference::withColumnGain(const Chip &chip, const Conversion &at,
                                     float x) {
  if (chip.config.adcGain == 0)
    return x;
  float deviation = chip.config.adcGain * perColumn(chip, Gain, at);
  return x * (1.0f + deviation);
}

float cim::reference::withColumnOffset(const Chip &chip, const Conversion &at,
                                       float x) {
  if (chip.config.adcOffset == 0)
    return x;
  float offset = chip.config.adcOffset * perColumn(chip, Offset, at);
  return x + offset;
}

float cim::reference::withConverterNoise(const Chip &chip, const Conversion &at,
                                         float x) {
  if (chip.config.adcNoise == 0)
    return x;
  float noise = chip.config.adcNoise * perRead(chip, Converter, at);
  return x + noise;
}
