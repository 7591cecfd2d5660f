// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Numerics.md, section 5.4, with the table of docs/Physics.md, section 2:
// devices with a name. Conductances are in levels, `strongest` is L of the
// page.
#ifndef CIM_REFERENCE_MODELS_H
#define CIM_REFERENCE_MODELS_H

#include "Chip.h"

#include <functional>
#include <memory>

namespace cim::reference {

class Model {
public:
  virtual ~Model() = default;

  /// Whether programming, or ageing, changes a device at all.
  virtual bool programs() const = 0;
  virtual bool ages(float age) const = 0;
  virtual bool flickers(float age) const = 0;

  /// gd of the page: the mean after `age` seconds of a device programmed to g.
  virtual float settled(float g, float, float) const { return g; }

  /// Deviation of programming, relative to the strongest, at x = gd / L.
  virtual float programSigma(float x, float age) const = 0;

  /// The conductance after `age` seconds; `deviate` is this device's.
  virtual float aged(float g, float x, float strongest, float age,
                     float deviate) const = 0;

  /// Deviation of a read by 1/f noise; `gp` is the conductance after
  /// programming.
  virtual float flicker(float g, float gp, float x, float strongest,
                        float age) const = 0;
};

/// What cells.model, or the keys that stand for one, say.
std::unique_ptr<Model> makeModel(const CellConfig &config);

} // namespace cim::reference

#endif // CIM_REFERENCE_MODELS_H
