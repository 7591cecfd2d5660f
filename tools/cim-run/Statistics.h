// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a sample of chips says about all chips.
#ifndef CIM_TOOLS_RUN_STATISTICS_H
#define CIM_TOOLS_RUN_STATISTICS_H

#include <cstddef>
#include <vector>

namespace cim::run {

/// Both ends included.
struct Interval {
  double lo, hi;
};

/// Mean and deviation (n - 1; 0 for one value) of values.
double meanOf(const std::vector<double> &values);
double deviationOf(const std::vector<double> &values);

/// 95 % confidence interval of the mean of normal values (Student's t); of one
/// value everything.
Interval meanInterval(const std::vector<double> &values);

/// 95 % confidence interval of a probability after `count` of `total` (Wilson).
Interval shareInterval(size_t count, size_t total);

} // namespace cim::run

#endif // CIM_TOOLS_RUN_STATISTICS_H
