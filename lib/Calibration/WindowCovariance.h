// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the inputs of a layer's windows vary together.
#ifndef CIM_LIB_CALIBRATION_WINDOWCOVARIANCE_H
#define CIM_LIB_CALIBRATION_WINDOWCOVARIANCE_H

#include "cim/Interfaces/CrossbarOpInterface.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace cim {

/// Covariance of the values that one window of a matrix reads, per group, over
/// windows at pseudo-random places of every sample. Rows are in the order of
/// the weight tensor: channel, kernel row, kernel column.
class WindowCovariance {
public:
  /// `samples` samples will come, here and to those that are merged; `seed`
  /// differs for each.
  WindowCovariance(int64_t groups, int64_t rows, int64_t samples,
                   uint64_t seed);

  /// Whether the matrix of a layer is small enough to be worth it.
  static bool isFeasible(const WindowGeometry &geometry);

  /// Values of some whole samples. `channelsFirst`: maps are N x C x H x W,
  /// else N x W x C.
  void add(llvm::ArrayRef<float> values, const WindowGeometry &geometry,
           bool channelsFirst);
  void merge(WindowCovariance &other);

  /// groups x rows x rows, shrunk towards its diagonal by as much as windows
  /// were too few to know better.
  std::vector<float> compute();

  int64_t groups() const { return sums.size(); }
  int64_t rows() const { return sums.front().size(); }

private:
  int64_t chooseWindows(int64_t available);
  /// A number below `end`.
  int64_t draw(int64_t end);
  void gather(const float *sample, const WindowGeometry &geometry,
              bool channelsFirst, int64_t oh, int64_t ow);
  void flush();

  int64_t wanted, samples, taken = 0, buffered = 0;
  uint64_t random;
  /// Windows not yet in `products`, per group: rows x windows.
  std::vector<std::vector<float>> buffer;
  std::vector<std::vector<float>> products; // per group, rows x rows
  std::vector<std::vector<double>> sums;    // per group
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_WINDOWCOVARIANCE_H
