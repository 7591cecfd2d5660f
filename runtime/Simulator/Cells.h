// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cells of one chip: what they conduct, and how much they scatter from read
// to read (docs/Numerics.md, section 5.1).
#ifndef CIM_RUNTIME_SIMULATOR_CELLS_H
#define CIM_RUNTIME_SIMULATOR_CELLS_H

#include "Simulator/Config.h"
#include "Simulator/DeviceModels.h"
#include "Simulator/Dispatch.h"
#include "Simulator/Normal.h"

#include <map>
#include <utility>

namespace cim::sim {

/// Cells of one row that lie side by side.
struct CellRow {
  const int8_t *levels;
  uint32_t array, row, column, count;
};

class Cells {
public:
  /// `age` in seconds; `isa` changes the speed alone.
  Cells(const Config &config, PhiloxKey key, float age,
        Isa isa = Isa::Portable);

  /// Every cell conducts its level: the rest is not needed.
  bool ideal() const { return isIdeal; }
  /// Z is not 1.
  bool vary() const { return doVary; }
  /// U is t^2 and its unit the square of noise.read.
  bool plainNoise() const { return isPlainNoise; }
  /// Z: integer codes of a conductance per level, for weights of up to `repeat`
  /// cells.
  float codesPerLevel(uint32_t repeat) const;
  /// Y: integer codes of a variance per level^2; 0: there is no read noise.
  float codesPerVariance(uint32_t repeat) const;

  /// Adds to conductances, and to variances unless null. In levels.
  void add(const CellRow &row, float *conductances, float *variances);

private:
  struct Device {
    float conductance, variance;
  };
  /// What is the same for all devices that should conduct the same level.
  struct State {
    float nominal, x, settled, programming;
    DevicePhysics::Exponent exponent;
    bool silent; // never conducts anything
  };
  enum { FaultBits, ProgramBits, CellBits, DriftBits, Kinds };

  void addVaried(const CellRow &row, float *conductances);
  void drawBits(const CellRow &row);
  void draw(Draw what, const CellRow &row, uint32_t device,
            std::vector<uint32_t> &bits) const;
  Device device(const State &state, uint32_t number, uint32_t n) const;
  float vary(float g, uint32_t bits) const;
  Device cell(int32_t level, uint32_t n) const;
  void markFaults(const CellRow &row);

  const Config &config;
  const CellEffects &effects;
  PhiloxKey key;
  Isa isa;
  DevicePhysics physics;
  int32_t offset;    // subtracted from a level: the reference
  float strongest;   // L
  float floor, span; // with an on/off ratio
  uint64_t stuckOn = 0, stuckAny = 0;
  bool isIdeal, doVary, isPlainNoise, isFast;
  bool programs, flickers;
  float lognormalA = 0, lognormalB = 0;
  std::vector<State> states; // by level
  /// (array, row), row -1: all of them; column and level.
  std::map<std::pair<uint32_t, int32_t>, std::vector<std::pair<int32_t, int>>>
      faults;
  // Of the row at hand.
  std::vector<uint32_t> bits[2][Kinds];
  std::vector<int16_t> broken; // level, or `working`
  std::vector<float> normals;
};

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_CELLS_H
