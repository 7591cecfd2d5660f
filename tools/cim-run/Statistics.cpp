// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Statistics.h.

#include "Statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace cim::run;

static constexpr double normalQuantile = 1.959963984540054; // of 97.5 %

double cim::run::meanOf(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return sum / double(values.size());
}

double cim::run::deviationOf(const std::vector<double> &values) {
  double mean = meanOf(values), sum = 0;
  for (double value : values)
    sum += (value - mean) * (value - mean);
  return values.size() > 1 ? std::sqrt(sum / double(values.size() - 1)) : 0.0;
}

/// 97.5 % of Student's t with n degrees of freedom; the expansion for large n
/// (Abramowitz and Stegun 26.7.5) is within 0.2 % from n = 3 on.
static double studentQuantile(size_t n) {
  if (n < 3)
    return n == 1 ? 12.706204736 : 4.302652730;
  double z = normalQuantile, z2 = z * z, v = double(n);
  double g1 = (z2 + 1) * z / 4;
  double g2 = ((5 * z2 + 16) * z2 + 3) * z / 96;
  double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
  double g4 =
      ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
  return z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
}

Interval cim::run::meanInterval(const std::vector<double> &values) {
  double mean = meanOf(values);
  if (values.size() < 2)
    return {-std::numeric_limits<double>::infinity(),
            std::numeric_limits<double>::infinity()};
  double half = studentQuantile(values.size() - 1) * deviationOf(values) /
                std::sqrt(double(values.size()));
  return {mean - half, mean + half};
}

Interval cim::run::shareInterval(size_t count, size_t total) {
  double n = double(total), p = double(count) / n;
  double z2 = normalQuantile * normalQuantile;
  double center = p + z2 / (2 * n);
  double half = normalQuantile * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, (center - half) / (1 + z2 / n)),
          std::min(1.0, (center + half) / (1 + z2 / n))};
}
