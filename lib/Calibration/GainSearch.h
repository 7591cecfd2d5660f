// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ADC gain that loses least of the sums it converts.
#ifndef CIM_LIB_CALIBRATION_GAINSEARCH_H
#define CIM_LIB_CALIBRATION_GAINSEARCH_H

#include "cim-c/hal.h"
#include <cstdint>
#include <map>

namespace cim {

/// How often each integer sum occurred.
using SumHistogram = std::map<int64_t, uint64_t>;

/// The gain (codes per unit, at most 1: sums are integers) for which the
/// variance of `sum - code / gain` is least, in a sweep of clip points from the
/// largest magnitude that occurred down to a sixteenth of it. What is constant
/// in the error (a floor is half a code low) goes into the bias of the layer.
float searchGain(const SumHistogram &sums, int32_t adcLo, int32_t adcHi,
                 cim_rounding rounding);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_GAINSEARCH_H
