// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration keeps of the values it sees.
#ifndef CIM_LIB_CALIBRATION_STATISTICS_H
#define CIM_LIB_CALIBRATION_STATISTICS_H

#include "cim/Calibration/RangeMethod.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace cim {

/// Extremes of a tensor, and every `stride`-th value of it.
class ValueStatistics {
public:
  /// `total` values will come; about 2^18 of them are kept.
  explicit ValueStatistics(int64_t total);

  void add(llvm::ArrayRef<float> values);
  void merge(const ValueStatistics &later);

  float lowest() const { return lo; }
  float highest() const { return hi; }
  /// False when a NaN or an infinity was among the extremes or the values kept.
  bool isFinite() const;

  /// The clip range for a grid that reaches to `signedLevels` on both sides of
  /// 0, or from 0 to `unsignedLevels` when no value is below 0.
  std::pair<float, float> chooseRange(RangeMethod method, int64_t signedLevels,
                                      int64_t unsignedLevels) const;

private:
  float lo = std::numeric_limits<float>::infinity();
  float hi = -std::numeric_limits<float>::infinity();
  int64_t stride, next = 0;
  std::vector<float> kept;
};

/// Mean and deviation of each channel of a tensor whose channel of element i is
/// `i / inner % channels`.
class ChannelStatistics {
public:
  ChannelStatistics(int64_t channels, int64_t inner)
      : inner(inner), sum(channels), squares(channels) {}

  void add(llvm::ArrayRef<float> values);
  void merge(const ChannelStatistics &other);

  /// False when a NaN or an infinity was among the values.
  bool isFinite() const;
  std::vector<double> mean() const;
  /// Standard deviation of the values seen (not of a larger population).
  std::vector<double> deviation() const;

private:
  void addNeighbours(llvm::ArrayRef<float> values);
  void addPlanes(llvm::ArrayRef<float> values);

  int64_t inner, count = 0; // count per channel
  std::vector<double> sum, squares;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_STATISTICS_H
