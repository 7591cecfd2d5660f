// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, section 5: one function per effect. Each takes the value
// before the effect and returns the value after it, and returns what it got
// when the chip has no such effect.
#ifndef CIM_REFERENCE_ANALOG_H
#define CIM_REFERENCE_ANALOG_H

#include "Chip.h"

namespace cim::reference {

/// Conductance codes per level, Z of the page; 1 without static variation.
int32_t codesPerLevel(const Chip &chip, const cim_layer &layer);

/// What the cells of one weight conduct together, in codes: G of the page.
int32_t conductance(const Chip &chip, const cim_block &block, uint32_t k,
                    uint32_t n, int32_t z);

/// One conversion: where and when. It names the random numbers.
struct Conversion {
  const cim_block *block;
  uint32_t layer, ordinal; // ordinal counts the blocks of a column
  uint32_t column;         // of the matrix
  uint32_t window, image;

  uint32_t physicalColumn() const { return block->column + column - block->n; }
};

/// In levels. `power` is V of the page.
float withReadNoise(const Chip &chip, const Conversion &at, int64_t power,
                    float a);
// In ADC codes.
float withColumnGain(const Chip &chip, const Conversion &at, float x);
float withColumnOffset(const Chip &chip, const Conversion &at, float x);
float withConverterNoise(const Chip &chip, const Conversion &at, float x);

} // namespace cim::reference

#endif // CIM_REFERENCE_ANALOG_H
