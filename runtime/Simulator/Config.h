// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the simulator knows about the chip that it plays: the "device" object of
// a target description (docs/Runtime.md, "Simulator").
#ifndef CIM_RUNTIME_SIMULATOR_CONFIG_H
#define CIM_RUNTIME_SIMULATOR_CONFIG_H

#include "Simulator/Physics.h"
#include "Support/LayerCheck.h"
#include "cim-c/hal.h"

namespace cim::sim {

enum class Mode { Ideal, Exact, Analog };

/// Non-idealities of mode `analog`; 0 switches one off.
struct Effects {
  float readSigma = 0;   // read noise of a device, relative to its conductance
  float staticSigma = 0; // variation of a device, relative to its conductance
  float adcOffset = 0;   // deviation of a converter's offset, in codes
  float adcGain = 0;     // relative deviation of a converter's gain
  float adcNoise = 0;    // noise of one conversion, in codes
  InputEffects input;
  uint32_t philoxRounds = 7; // or 10, of the random numbers
  CellEffects cells;
  LineEffects lines;
  ConverterEffects converter;
};

struct Config {
  rt::ArrayShape array; // 0: unlimited
  int32_t cellLo = -1, cellHi = 1;
  uint32_t inputBits = 7;
  Effects effects;

  /// Inputs are signed -2^(bits-1) .. 2^(bits-1)-1 or unsigned 0 .. 2^bits-1.
  int32_t inputLo(cim_type type) const {
    return type == CIM_I8 ? -(1 << (inputBits - 1)) : 0;
  }
  int32_t inputHi(cim_type type) const {
    return (type == CIM_I8 ? 1 << (inputBits - 1) : 1 << inputBits) - 1;
  }
  /// Slices of an input (docs/Numerics.md, section 3).
  uint32_t slices(cim_type type) const {
    uint32_t magnitude = inputBits - (type == CIM_I8 ? 1 : 0);
    uint32_t bits = effects.input.sliceBits;
    return bits && bits < magnitude ? (magnitude + bits - 1) / bits : 1;
  }
  /// Largest magnitude of a cell.
  int32_t levels() const { return cellHi > -cellLo ? cellHi : -cellLo; }
};

/// Parses the JSON of a "device" object; null means the defaults above.
cim_status parseConfig(const char *json, Config &config);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_CONFIG_H
