// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, sections 5.2 and 5.3: lines and converters, one function
// per effect. Each takes the value before the effect and returns the value
// after it, which is the same when the chip has no such effect.
#ifndef CIM_REFERENCE_COLUMNS_H
#define CIM_REFERENCE_COLUMNS_H

#include "Chip.h"

namespace cim::reference {

/// One conversion: where and when. It names the random numbers.
struct Conversion {
  const cim_layer *layer;
  const cim_block *block;
  float gain;       // codes per unit of the sum
  uint32_t ordinal; // of the read, among those of the column
  uint32_t column;  // of the matrix
  uint32_t window, image;

  uint32_t physicalColumn() const { return block->column + column - block->n; }
};

/// Sums over the rows of a block that the wires see.
struct WireSums {
  int64_t load, drop; // sum abs(q G), sum q D
};
/// Codes of G per level, and of D per code of G.
struct WireCodes {
  int32_t z, y;
};
bool hasWires(const Chip &chip);
/// D of the page, of row k out of `rows`.
int64_t wireWeight(const Chip &chip, int64_t weight, int64_t k, int64_t rows,
                   int64_t y);

// In levels; `power` is V, `sigma` is sr of the page.
float withWires(const Chip &chip, const Conversion &at, WireCodes codes,
                const WireSums &sums, float a);
float withReadNoise(const Chip &chip, const Conversion &at, float sigma,
                    int64_t power, float a);
/// Whether nothing bends the lines: both noises are drawn as one.
bool isLinear(const Chip &chip);
// In ADC codes, in this order.
float withAttenuation(const Chip &chip, const Conversion &at, float z);
float withCompression(const Chip &chip, const Conversion &at, float z);
float withHeadroom(const Chip &chip, const Conversion &at, float z);
float withConverterGain(const Chip &chip, const Conversion &at, float x);
float withConverterOffset(const Chip &chip, const Conversion &at, float x);
float withConverterNoise(const Chip &chip, const Conversion &at, float x);
/// Both noises at the converter, in place of the two functions for one.
float withBothNoises(const Chip &chip, const Conversion &at, float sigma,
                     int64_t power, float x);

/// T[1], T[2], ... of a column's converter; empty for an ideal one.
std::vector<float> thresholdsOf(const Chip &chip, const cim_layer &layer,
                                const cim_block &block, uint32_t column);

/// The code of an ideal converter, or of one with thresholds; of a mid-rise
/// converter without its half.
float codeOf(const cim_layer &layer, const std::vector<float> &thresholds,
             float x);

/// What calibration finds a converter to do to its input.
struct Measured {
  float gain = 1, offset = 0;
};
Measured measureConverter(const Chip &chip, const cim_layer &layer,
                          const cim_block &block, uint32_t column,
                          const std::vector<float> &thresholds);

/// Why the converter cannot have the layer's codes, or an empty string.
std::string checkConverter(const Chip &chip, const cim_layer &layer);

} // namespace cim::reference

#endif // CIM_REFERENCE_COLUMNS_H
