// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The gain of converters, by the sums that they convert.
#ifndef CIM_LIB_CALIBRATION_GAINSEARCH_H
#define CIM_LIB_CALIBRATION_GAINSEARCH_H

#include "cim-c/hal.h"
#include "cim/Calibration/GainMethod.h"
#include <cstdint>
#include <map>

namespace cim {

class Arch;

/// What the converters of one plane saw.
struct PlaneSums {
  /// Weight of each integer sum: how often it occurred, times what an error in
  /// it counts.
  std::map<int64_t, double> histogram;
  /// Weighted sum of sum_k q_k^2 t_k^2 of its cells, and the weights' sum.
  double power = 0, weight = 0;

  void add(const PlaneSums &other);
};

/// How gains are chosen (docs/Accuracy.md, "ADC gains"), and what they depend
/// on.
struct GainChoice {
  GainMethod method = GainMethod::MSE;
  double percentile = 99.9;
  int32_t lo = -1, hi = 1; // codes
  cim_rounding rounding = CIM_NEAREST_EVEN;
  /// Variances on noisy chips: of a cell's contribution relative to its square,
  /// of a gain relative to 1, of a conversion in codes.
  double cells = 0, gain = 0, conversion = 0;

  GainChoice() = default;
  GainChoice(GainMethod method, double percentile, const Arch &arch);

  /// Codes per unit of the sum.
  float choose(const PlaneSums &sums) const;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_GAINSEARCH_H
