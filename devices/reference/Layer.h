// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, sections 3 and 4: a layer, window after window.
#ifndef CIM_REFERENCE_LAYER_H
#define CIM_REFERENCE_LAYER_H

#include "Chip.h"
#include "Inputs.h"

namespace cim::reference {

/// What is wrong with a layer on this chip (hal.h says what must hold), or an
/// empty string. After this nothing of it can be out of range.
std::string checkLayer(const Chip &chip, const cim_layer &layer);

/// Why the sums of a layer that is well formed do not fit, or an empty string.
std::string checkSums(const Chip &chip, const cim_layer &layer);

/// A block with its cells read back from the array.
struct Block {
  const cim_block *block;
  std::vector<int32_t> weights;  // [k_count][n_count]: G of the page
  std::vector<int32_t> powers;   // the same for U; with read noise only
  std::vector<uint32_t> ordinal; // [n_count] earlier blocks of the column
  std::vector<std::vector<float>> thresholds; // [n_count] of the converters
  float gain = 1;                  // of a conversion: g_b, or g' with slices
  std::vector<float> coefficients; // [n_count]
};

struct Layer {
  cim_layer layer;
  int32_t z = 1;         // conductance codes per level
  int32_t dropCodes = 1; // Y of the wires
  float readSigma = 0;   // sr of the page
  Slices slices;
  std::vector<float> bias; // [out_c], with what calibration takes back
  std::vector<Block> blocks;
};

Layer prepareLayer(const Chip &chip, const cim_layer &layer);

/// What is wrong with inputs that the DAC cannot make, or an empty string.
std::string checkInputs(const Chip &chip, const cim_layer &layer,
                        const cim_stream &stream);

void runLayer(const Chip &chip, const Layer &layer, const cim_stream &stream);

} // namespace cim::reference

#endif // CIM_REFERENCE_LAYER_H
