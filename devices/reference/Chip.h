// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chip of the reference device: what it was told, and nothing derived.
//
// The reference device is docs/Numerics.md in plain loops, one function per
// sentence, behind include/cim-c/hal.h. It is the second opinion on the
// simulator, so it takes nothing from there, and speed never wins over a
// straight reading of the page.
#ifndef CIM_REFERENCE_CHIP_H
#define CIM_REFERENCE_CHIP_H

#include "Random.h"
#include "cim-c/hal.h"

#include <map>
#include <string>
#include <vector>

namespace cim::reference {

enum class Mode { Ideal, Exact, Analog };

/// A cell that is worth `level` whatever was programmed; -1: any.
struct Fault {
  int64_t array, row, column;
  int32_t level;
};

/// "cells" of the target.
struct CellConfig {
  std::string mapping = "differential", distribution = "normal",
              dependence = "proportional", model = "none",
              compensation = "none";
  float onOff = 0; // 0: infinite
  double stuckOn = 0, stuckOff = 0;
  std::vector<Fault> faults;
  std::vector<float> program; // by g_max
  float drift = 0, driftSpread = 0, driftStart = 20;
  float flicker = 0, flickerTime = 250e-9f;
  float age = 0; // seconds
};

/// "input" of the target, but for its bits.
struct InputConfig {
  uint32_t sliceBits = 0; // 0: all in one pulse
  std::string accumulation = "digital";
  float sliceGain = 1;
  float jitter = 0; // of a pulse's width, in codes
};

/// "lines" of the target.
struct LineConfig {
  float wireResistance = 0, cellConductance = 0, temperature = 300;
  float attenuation = 0, compression = 0, spread = 0;
  std::string curve = "rational";
  float fullScale = 0; // 0: that of the ADC
  float headroom = 0;  // 0: unlimited
};

/// "adc" of the target; range and rounding come with the layer.
struct ConverterConfig {
  std::string architecture = "ideal";
  float mismatch = 0;
  float amplifierGain = 0; // dB, 0: infinite
  std::vector<float> inl;
  uint32_t columnsPerAdc = 1;
  uint32_t calibrationReads = 0; // of every converter; 0: no calibration
};

/// The "device" object of a target (docs/Runtime.md, Simulator). A zero, or the
/// word that stands here, leaves an effect out.
struct Config {
  uint32_t arrayRows = 0, arrayColumns = 0; // 0: unlimited
  int32_t cellLo = -1, cellHi = 1;
  uint32_t inputBits = 7;
  float read = 0, staticVariation = 0;
  float adcOffset = 0, adcGain = 0, adcNoise = 0;
  uint32_t philoxRounds = 7;
  InputConfig input;
  CellConfig cells;
  LineConfig lines;
  ConverterConfig converter;
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
  int32_t mostCodes = 127; // of a conductance or its variance
  std::map<uint32_t, Array> arrays;

  Key key() const { return Key(seed, trial, config.philoxRounds); }
  bool isAnalog() const { return mode == Mode::Analog; }
};

} // namespace cim::reference

#endif // CIM_REFERENCE_CHIP_H
