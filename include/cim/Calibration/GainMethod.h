// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the gain of converters follows from the sums that calibration saw.
#ifndef CIM_CALIBRATION_GAINMETHOD_H
#define CIM_CALIBRATION_GAINMETHOD_H

namespace cim {

/// The formulas are in docs/Accuracy.md, "ADC gains".
enum class GainMethod {
  Max,        ///< every sum that occurred
  Percentile, ///< a given share of the sums
  MSE,        ///< least squared error of the conversion
  Noise       ///< least squared error of the layer's result on noisy chips
};

} // namespace cim

#endif // CIM_CALIBRATION_GAINMETHOD_H
