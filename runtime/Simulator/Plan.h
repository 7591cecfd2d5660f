// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A prepared layer: its blocks as integer matrices read back from the arrays of
// one chip instance, with everything that is constant per column.
#ifndef CIM_RUNTIME_SIMULATOR_PLAN_H
#define CIM_RUNTIME_SIMULATOR_PLAN_H

#include "Simulator/Columns.h"
#include "Simulator/Config.h"
#include "Simulator/Dispatch.h"
#include "Simulator/Philox.h"

#include <memory>
#include <string>
#include <vector>

namespace cim::sim {

/// Cells of one array, as programmed.
struct Array {
  uint32_t rows = 0, columns = 0;
  std::vector<int8_t> cells;
};

/// One chip instance.
struct Chip {
  Mode mode = Mode::Exact;
  Config config;
  PhiloxKey key = {};
  Isa isa = Isa::Portable;
  std::vector<Array> arrays;
};

/// One block as a matrix. Vectors are per column unless said otherwise.
struct PlannedBlock {
  uint32_t k, kCount, n, nCount;
  uint32_t plane;
  std::vector<int8_t> weights;    // [kCount][nCount], what the cells conduct
  std::vector<uint8_t> squares;   // [kCount][nCount], U; read noise only
  std::vector<int8_t> drops;      // [kCount][nCount], D; IR drop only
  std::vector<float> coefficient; // significance (/ gain)
  float gain;
  std::vector<float> adcGain, adcOffset; // empty when the effect is off
  /// Variance of read noise at the converter, per V, when it is drawn there
  /// together with the converter's own.
  std::vector<float> noise;
  ColumnTables columns;
  /// How many earlier blocks of the list cover this column. It names the block
  /// in noise counters: unlike the position in the list it does not depend on
  /// where placement cuts columns.
  std::vector<uint16_t> ordinal;
  float wire = 0; // resistance of the block's wires times conductance
};

struct Plan {
  const cim_layer *layer = nullptr;
  Mode mode = Mode::Exact; // Analog only when an effect is on
  float readSigma = 0;     // per root of the sum of q^2 U
  float adcNoise = 0;
  float inverseZ = 1;      // codes of conductance to levels; 1 when not scaled
  std::vector<float> bias; // of the epilogue, per channel
  uint32_t slices = 1;     // reads per window
  uint32_t digits = 1;     // of an input, each of so many bits
  uint32_t sliceBits = 0;  // 0: all bits at once
  float jitter = 0;        // input codes per unit of J
  float wire = 0;          // resistance of a wire per cell times conductance
  float loadUnit = 0;      // of sum |G| |q|: one device at full input
  float dropUnit = 0;      // of sum q D
  std::vector<PlannedBlock> blocks;
};

/// Reads `layer`, which is well formed, back from the chip. Returns what the
/// simulator cannot do, or an empty string.
std::string makePlan(const Chip &chip, const cim_layer &layer, Plan &plan);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_PLAN_H
