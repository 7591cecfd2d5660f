// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chip of the reference device: what it was told, and nothing derived.
//
// The reference device is docs/Numerics.md in plain loops, one function per
// sentence, behind include/cim-c/hal.h. It is the second opinion on the
// simulator, so it takes nothing from there, and speed never wins over a
// straight reading of the page.
#ifndef CIM_REFERENCE_CHIP_H
#define CIM_REFERENCE_CHIP_H

#include "cim-c/hal.h"

#include <map>
#include <string>
#include <vector>

namespace cim::reference {

enum class Mode { Ideal, Exact, Analog };

/// The "device" object of a target (docs/Runtime.md, Simulator).
struct Config {
  uint32_t arrayRows = 0, arrayColumns = 0; // 0: unlimited
  int32_t cellLo = -1, cellHi = 1;
  uint32_t inputBits = 7;
  // Section 5 of the page; 0 leaves an effect out.
  float read = 0, staticVariation = 0;
  float adcOffset = 0, adcGain = 0, adcNoise = 0;
};

/// Reads `json` (may be null); an error text, or empty. Effects matter in mode
/// analog only.
std::string readConfig(const char *json, Mode mode, Config &config);

/// Cells as programmed.
struct Array {
  uint32_t rows = 0, columns = 0;
  std::vector<int8_t> cells;

  int32_t at(uint32_t row, uint32_t column) const {
    return cells[size_t(row) * columns + column];
  }
};

struct Chip {
  Mode mode = Mode::Exact;
  Config config;
  uint64_t seed = 0;
  uint32_t trial = 0;
  std::map<uint32_t, Array> arrays;

  bool isAnalog() const { return mode == Mode::Analog; }
};

} // namespace cim::reference

#endif // CIM_REFERENCE_CHIP_H
