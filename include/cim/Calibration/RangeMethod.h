// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an activation's range follows from what calibration saw of it.
#ifndef CIM_CALIBRATION_RANGEMETHOD_H
#define CIM_CALIBRATION_RANGEMETHOD_H

namespace cim {

enum class RangeMethod {
  MinMax,     ///< every value that occurred
  Percentile, ///< all but one in 10,000 magnitudes
  MSE         ///< least squared error on the grid of the input converters
};

} // namespace cim

#endif // CIM_CALIBRATION_RANGEMETHOD_H
