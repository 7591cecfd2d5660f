// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a memory device is after programming and as it ages: the functions of
// docs/Numerics.md, section 5.4, with the constants of docs/Physics.md.
#ifndef CIM_RUNTIME_SIMULATOR_DEVICEMODELS_H
#define CIM_RUNTIME_SIMULATOR_DEVICEMODELS_H

#include "Simulator/Physics.h"

namespace cim::sim {

/// One model at one age. `x` is the conductance by the largest one.
class DevicePhysics {
public:
  DevicePhysics(const CellEffects &cells, float age);

  /// Mean at its age of a device that should conduct `g`, in units of which
  /// `strongest` is the largest.
  float settled(float g, float strongest) const;
  /// Deviation of the programmed conductance, by the largest one; x is settled.
  float programming(float x) const;
  bool programs() const { return programming(0) != 0 || programming(1) != 0; }

  /// Exponent of drift: mean and deviation.
  struct Exponent {
    float mean, deviation;
  };
  Exponent exponent(float x) const;
  bool ages() const { return hasPowerLaw || hasShift; }

  /// The conductance `g`, in units of which `strongest` is the largest, after
  /// its age; `normal` is the device's own deviate.
  float aged(float g, const Exponent &exponent, float normal,
             float strongest) const;

  bool flickers() const;
  /// Deviation of one read, in the unit of `g`; `programmed` is x after
  /// programming and `nominal` before.
  float flicker(float g, float programmed, float nominal,
                float strongest) const;

private:
  float flickerShare(float x) const; // Q
  float sonosDeviation(float x, float a, float b) const;

  DeviceModel model;
  float largest = 1; // g_max, in the model's unit
  std::vector<float> polynomial;
  float sonosA = 0, sonosB = 1;
  std::vector<float> shift; // of the mean, a polynomial; empty: none
  float mu, sd, generalQ;   // DeviceModel::Generic
  bool hasPowerLaw = false; // and its age is above 0
  float ratio = 0;          // log2 of how much older
  bool hasShift = false;
  float shiftMean = 0, shiftDeviation = 0;
  float flickerTerm = 0; // sqrt(ln(...))
};

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_DEVICEMODELS_H
