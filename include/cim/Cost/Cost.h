// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// First-order energy, latency and area of work on a target's arrays, from the
// component figures of its description. The analog part only: digital
// post-processing, buffers and links are not modelled yet.
#ifndef CIM_COST_COST_H
#define CIM_COST_COST_H

#include "cim/Arch/Arch.h"
#include "llvm/ADT/ArrayRef.h"

namespace cim::cost {

/// `mvms` matrix-vector products of one block that has `rows` x `columns`
/// lines of an array active and `cells` cells that hold a weight.
struct Work {
  double mvms = 0;
  double rows = 0, columns = 0, cells = 0;
};

/// What `Work` takes.
struct Cost {
  /// As if one array did everything, one MVM after the other; divide by the
  /// number of arrays that work at the same time.
  double seconds = 0;
  /// Joules; absent when the target gives no energies.
  std::optional<double> joules;
};

/// E = (rows E_dac + columns E_adc + cells activity (E_gate + E_line)
///      + E_control) (V / V_nominal)^p, in joules, for one MVM.
/// Absent when the target gives no energies, or no supply section while
/// `supply` (volts) is given. Source of the formula: DIANA/AnIA models of
/// KULeuven-MICAS/zigzag-imc, see docs/Targets.md.
std::optional<double> mvmEnergy(const Arch &arch, double rows, double columns,
                                double cells,
                                std::optional<double> supply = std::nullopt);

/// The sum over `work`.
Cost totalCost(const Arch &arch, llvm::ArrayRef<Work> work,
               std::optional<double> supply = std::nullopt);

/// Writing `rows` rows of cells; absent when the target gives no time for it.
/// Joules are absent when it gives no energy.
std::optional<Cost> rowWriteCost(const Arch &arch, double rows);

/// op/s of one fully used array; a MAC is two operations. Independent of the
/// supply: descriptions give one cycle time.
double peakThroughput(const Arch &arch);

/// op/s/W of one fully used array.
std::optional<double>
peakEfficiency(const Arch &arch, std::optional<double> supply = std::nullopt);

/// mm2 of one array with its converters; absent when the target gives none.
std::optional<double> arrayArea(const Arch &arch);

/// The model's value for an anchor, in the anchor's unit; absent when the
/// target lacks the figures that the metric needs.
std::optional<double> modelValue(const Arch &arch, const Arch::Anchor &anchor);

/// True when the model reproduces the anchor within its tolerance.
bool reproduces(const Arch &arch, const Arch::Anchor &anchor);

} // namespace cim::cost

#endif // CIM_COST_COST_H
