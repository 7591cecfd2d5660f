// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parameters of every effect of mode `analog` (docs/Physics.md). Zero, or
// the first word, switches an effect off.
#ifndef CIM_RUNTIME_SIMULATOR_PHYSICS_H
#define CIM_RUNTIME_SIMULATOR_PHYSICS_H

#include <cstdint>
#include <vector>

namespace cim::sim {

enum class Distribution { Normal, Lognormal, Uniform };
enum class Dependence { Proportional, Additive, Inverse };
/// Devices with a name; Generic: what the other keys say.
enum class DeviceModel {
  Generic,
  Pcm,
  PcmHermes1,
  PcmHermes2,
  PcmJoshi,
  ReramWan,
  ReramCmo,
  ReramMilo,
  Sonos
};

/// A cell that is worth `level` whatever is programmed; -1 means every row or
/// column.
struct Fault {
  uint32_t array;
  int32_t row, column;
  int32_t level;
};

struct CellEffects {
  bool offset = false; // one device per cell, less a reference
  Distribution distribution = Distribution::Normal;
  Dependence dependence = Dependence::Proportional;
  float onOff = 0; // 0: infinite
  double stuckOn = 0, stuckOff = 0;
  std::vector<Fault> faults;
  DeviceModel model = DeviceModel::Generic;
  std::vector<float> program; // polynomial, relative to the largest conductance
  float drift = 0, driftSpread = 0;
  float driftStart = 20; // seconds
  float flicker = 0;
  float flickerTime = 250e-9f; // seconds
  float age = 0;               // seconds
  bool compensate = false;
};

/// How inputs reach the rows.
struct InputEffects {
  float jitter = 0;       // of a pulse's width, in input codes
  uint32_t sliceBits = 0; // 0: all bits in one pulse
  bool analogSum = false; // of the slices
  float sliceGain = 1;    // of the converter, beyond what a slice needs
};

struct LineEffects {
  float wireResistance = 0;  // ohm, per cell
  float cellConductance = 0; // siemens, of the strongest device
  float temperature = 300;   // kelvin, of the wires
  float attenuation = 0;     // share that the last column loses
  float compression = 0, spread = 0;
  bool exponential = false;
  float fullScale = 0; // input codes times levels; 0: the ADC's
  float headroom = 0;  // of the full scale; 0: unlimited
};

enum class Architecture { Ideal, Ramp, Sar, SarSplit };

struct ConverterEffects {
  Architecture architecture = Architecture::Ideal;
  float mismatch = 0;      // of a unit capacitor
  float amplifierGain = 0; // dB; 0: infinite
  std::vector<float> inl;  // codes, per threshold
  uint32_t columnsPerAdc = 1;
  uint32_t calibrationReads = 0; // of every converter; 0: no correction

  bool thresholds() const {
    return !inl.empty() || (architecture != Architecture::Ideal &&
                            (mismatch != 0 || amplifierGain != 0));
  }
};

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_PHYSICS_H
