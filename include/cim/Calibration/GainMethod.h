// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the gain of converters follows from the sums that calibration saw.
#ifndef CIM_CALIBRATION_GAINMETHOD_H
#define CIM_CALIBRATION_GAINMETHOD_H

#include "llvm/Support/CommandLine.h"

namespace cim {

/// The formulas are in docs/Accuracy.md, "ADC gains".
enum class GainMethod {
  Max,        ///< every sum that occurred
  Percentile, ///< a given share of the sums
  MSE,        ///< least squared error of the conversion
  Noise       ///< least squared error of the layer's result on noisy chips
};

/// Their names for the command line, and what it says of them.
inline llvm::cl::ValuesClass gainMethodNames() {
  return llvm::cl::values(
      clEnumValN(GainMethod::Max, "max", "every sum that occurred"),
      clEnumValN(GainMethod::Percentile, "percentile",
                 "the share adc-percentile of the sums"),
      clEnumValN(GainMethod::MSE, "mse",
                 "least squared error of the conversion (default)"),
      clEnumValN(GainMethod::Noise, "noise",
                 "least squared error of the layer's result with the "
                 "target's noise"));
}

} // namespace cim

#endif // CIM_CALIBRATION_GAINMETHOD_H
