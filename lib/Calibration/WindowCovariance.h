// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the inputs of a layer's windows vary together.
#ifndef CIM_LIB_CALIBRATION_WINDOWCOVARIANCE_H
#define CIM_LIB_CALIBRATION_WINDOWCOVARIANCE_H

#include "cim/Interfaces/CrossbarOpInterface.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace cim {

/// Covariance of the values that one window of a layer reads, per group, over
/// windows at pseudo-random places of every sample. Rows are in the order of
/// the weight tensor: channel, kernel row, kernel column.
class WindowCovariance {
public:
  /// `channelsFirst`: maps are N x C x H x W, else N x W x C. `samples` samples
  /// will come, here and to those that are merged; `seed` differs for each.
  WindowCovariance(const WindowGeometry &geometry, bool channelsFirst,
                   int64_t samples, uint64_t seed);

  /// Whether the matrix of a layer is small enough to be worth it.
  static bool isFeasible(const WindowGeometry &geometry);

  /// Values of some whole samples.
  void add(llvm::ArrayRef<float> values);
  void merge(WindowCovariance &other);

  /// groups x rows x rows, shrunk towards its diagonal by as much as windows
  /// were too few to know better.
  std::vector<float> compute();

  int64_t groups() const { return geometry.groups; }
  int64_t rows() const { return geometry.rowsPerGroup(); }

private:
  void gather(const float *sample, int64_t oh, int64_t ow, int64_t slot);
  void flush();

  WindowGeometry geometry;
  bool channelsFirst;
  int64_t windowsPerSample, taken = 0, buffered = 0;
  uint64_t random;
  /// Windows not yet in `products`, per group: rows x windows.
  std::vector<std::vector<float>> buffer;
  std::vector<std::vector<float>> products; // per group, rows x rows
  std::vector<std::vector<double>> sums;    // per group
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_WINDOWCOVARIANCE_H
