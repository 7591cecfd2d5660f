// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, sections 3 and 5.2: how an input comes to the rows.
#ifndef CIM_REFERENCE_INPUTS_H
#define CIM_REFERENCE_INPUTS_H

#include "Columns.h"

namespace cim::reference {

/// How the inputs of a layer are cut into digits; one digit: not at all.
struct Slices {
  uint32_t bits = 0, digits = 1;
  bool asCurrents = false; // added up before the conversion
  float gain = 1;          // of a conversion, relative to the block's

  /// Reads, each with a conversion, of one block and window.
  uint32_t reads() const { return asCurrents ? 1 : digits; }
};

Slices slicesOf(const Chip &chip, const cim_layer &layer);

/// What drives the row in read number `read`.
int32_t inputOf(const Slices &slices, int32_t q, uint32_t read);

/// What this input adds to V of the page, per unit of variance.
int32_t powerOf(const Slices &slices, int32_t q);

/// J of the page: how much longer a pulse is, in tenths of the deviation.
int32_t jitterOf(const Chip &chip, const Conversion &at, uint32_t k, int32_t q);

/// Codes per unit of J.
float jitterUnit(const Chip &chip);

/// Largest input of a layer.
int32_t largestInput(const Chip &chip, const cim_layer &layer);

} // namespace cim::reference

#endif // CIM_REFERENCE_INPUTS_H
