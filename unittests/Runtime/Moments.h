// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Samples against distributions.
#ifndef CIM_UNITTESTS_RUNTIME_MOMENTS_H
#define CIM_UNITTESTS_RUNTIME_MOMENTS_H

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <vector>

namespace cim::test {

/// Largest z-score that a test lets pass.
inline constexpr double limit = 4.5;

struct Sample {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (double x : values)
      sum += x;
    return sum / double(values.size());
  }
  double variance() const {
    double center = mean(), sum = 0;
    for (double x : values)
      sum += (x - center) * (x - center);
    return sum / double(values.size() - 1);
  }
  double fourth() const {
    double center = mean(), sum = 0;
    for (double x : values)
      sum += std::pow(x - center, 4);
    return sum / double(values.size());
  }

  void expectMean(double expected) const {
    double error = std::sqrt(variance() / double(values.size()));
    EXPECT_NEAR(mean(), expected, limit * error + 1e-6 * std::abs(expected));
  }
  /// Of any distribution: the fourth moment is the sample's.
  void expectDeviation(double expected) const {
    double v = variance();
    double error = std::sqrt((fourth() - v * v) / double(values.size()));
    EXPECT_NEAR(v, expected * expected, limit * error + 1e-4 * v);
  }
  /// Chi-square over 20 bins of equal probability.
  void expectDistribution(const std::function<double(double)> &cdf) const {
    double bins[20] = {}, chiSquare = 0;
    for (double x : values)
      bins[std::min(19, int(20 * cdf(x)))] += 1;
    double expected = double(values.size()) / 20;
    for (double count : bins)
      chiSquare += (count - expected) * (count - expected) / expected;
    EXPECT_LT((chiSquare - 19) / std::sqrt(2.0 * 19), limit);
  }
  /// Neighbours, and values `lag` apart, are uncorrelated.
  void expectIndependent(size_t lag = 1) const {
    double center = mean(), sum = 0;
    for (size_t i = lag; i < values.size(); ++i)
      sum += (values[i] - center) * (values[i - lag] - center);
    EXPECT_LT(std::abs(sum) / variance() / std::sqrt(double(values.size())),
              limit);
  }
};

inline double normalCdf(double z) { return 0.5 * std::erfc(-z / M_SQRT2); }

} // namespace cim::test

#endif // CIM_UNITTESTS_RUNTIME_MOMENTS_H
