// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, section 5.1: what a chip's devices and cells conduct, one
// function per effect. Conductances are in units of one level.
#ifndef CIM_REFERENCE_CELLS_H
#define CIM_REFERENCE_CELLS_H

#include "Chip.h"
#include "Models.h"

namespace cim::reference {

/// Where a device is; it names its random numbers.
struct Place {
  uint32_t array, row, column, device;
};

class Cells {
public:
  explicit Cells(const Chip &chip);

  /// Codes of conductance per level, Z of the page; 1 when no device varies.
  int32_t codesPerLevel(const cim_layer &layer) const;

  /// What the cells of one weight conduct together, in codes: G of the page.
  int32_t conductance(const cim_block &block, uint32_t k, uint32_t n, int32_t z,
                      float age) const;

  /// Variances have the unit `readSigma` squared: 1 / Y of the page, or 0 for
  /// the square of noise.read.
  float variancesPerUnit(const cim_layer &layer) const;
  float readSigma(float perUnit) const;
  /// U of a weight.
  int32_t variance(const cim_block &block, uint32_t k, uint32_t n,
                   float perUnit) const;

  bool hasReadNoise() const;
  bool isCompensated() const;

private:
  struct Device;

  float strongest() const;     // L
  float leakage() const;       // floor
  float span() const;          // of an on/off ratio
  float wanted(float x) const; // gn of a device that should conduct x
  bool ages(float age) const;

  bool isStuck(const Place &place, float &g) const;
  float withProgrammingNoise(const Place &place, float gn, float age) const;
  float withStaticVariation(const Place &place, float g) const;
  float withAgeing(const Place &place, float gn, float g, float age) const;
  float deviation(const Place &place) const; // d of the page

  Device device(const Place &place, float x, float age) const;
  float cell(const Place &place, int32_t t, float age) const;
  float deviceVariance(const Device &device, float age) const;
  float cellVariance(const Place &place, int32_t t, float age) const;
  float unvariedVariance(int32_t t) const;
  /// One that names the row before one for all rows, then the last one.
  const Fault *faultAt(const Place &place) const;

  const Chip &chip;
  const Config &config;
  std::unique_ptr<Model> model;
};

} // namespace cim::reference

#endif // CIM_REFERENCE_CELLS_H
