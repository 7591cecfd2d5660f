// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an activation's range follows from what calibration saw of it.
#ifndef CIM_CALIBRATION_RANGEMETHOD_H
#define CIM_CALIBRATION_RANGEMETHOD_H

#include "llvm/Support/CommandLine.h"

namespace cim {

enum class RangeMethod {
  MinMax,     ///< every value that occurred
  Percentile, ///< all but one in 10,000 magnitudes
  MSE         ///< least squared error on the grid of the input converters
};

/// Their names for the command line, and what it says of them.
inline llvm::cl::ValuesClass rangeMethodNames() {
  return llvm::cl::values(
      clEnumValN(RangeMethod::MinMax, "minmax", "every value that occurred"),
      clEnumValN(RangeMethod::Percentile, "percentile",
                 "all but one in 10,000 magnitudes"),
      clEnumValN(RangeMethod::MSE, "mse",
                 "least squared error on the grid of the input converters "
                 "(default)"));
}

} // namespace cim

#endif // CIM_CALIBRATION_RANGEMETHOD_H
