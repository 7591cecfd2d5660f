// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where each element of a resized dimension comes from.
#ifndef CIM_LIB_FRONTEND_ONNX_RESIZEAXIS_H
#define CIM_LIB_FRONTEND_ONNX_RESIZEAXIS_H

#include "NodeBinder.h"

namespace cim::onnx {

/// The attributes that Resize has for all dimensions.
struct ResizeMode {
  enum Kind { Nearest, Linear, Cubic } kind = Nearest;
  enum Rounding {
    PreferFloor,
    PreferCeil,
    Floor,
    Ceil,
    Simple ///< opset 10: floor when enlarging, ceil when not
  } rounding = PreferFloor;
  enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    TfHalfPixelForNN,
    TfCropAndResize
  } coordinates = HalfPixel;
  bool antialias = false;
  bool excludeOutside = false;
  float cubicA = -0.75f;
  float extrapolation = 0;
};

/// One dimension to resize.
struct ResizeAxis {
  int64_t dim = 0;
  int64_t extent = 1, result = 1; ///< before and after
  /// The scale as a fraction, so that a ratio of extents has no rounding error.
  double numerator = 1, denominator = 1;
  double start = 0, end = 1; ///< region of interest

  double scale() const { return numerator / denominator; }

  /// True when nothing happens along it.
  bool isIdentity(const ResizeMode &mode) const {
    return extent == result && numerator == denominator &&
           (mode.coordinates != ResizeMode::TfCropAndResize ||
            (start == 0 && end == 1));
  }
};

/// An element of the result is the sum over the taps of weights times elements
/// of the operand, or the extrapolation value.
struct Sampling {
  /// For each tap, one entry an element of the result.
  llvm::SmallVector<llvm::SmallVector<int64_t>> positions;
  llvm::SmallVector<llvm::SmallVector<double>> weights;
  llvm::SmallVector<int64_t> outside; ///< 1 where extrapolated
};

/// Taps that an element of the result has at most.
constexpr int64_t kMaxResizeTaps = 1024;

/// How many taps `axis` needs.
int64_t countTaps(const ResizeMode &mode, const ResizeAxis &axis);

Sampling sampleAxis(const ResizeMode &mode, const ResizeAxis &axis);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_RESIZEAXIS_H
