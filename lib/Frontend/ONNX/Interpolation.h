// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of a tensor between its elements, at places computed at run time.
#ifndef CIM_LIB_FRONTEND_ONNX_INTERPOLATION_H
#define CIM_LIB_FRONTEND_ONNX_INTERPOLATION_H

#include "FlatIndex.h"

namespace cim::onnx {

/// What lies outside of a tensor: zeros, or the elements at its border, or its
/// mirror image. A mirror stands `margin` elements before the first one.
struct Outside {
  enum Kind { Zeros, Border, Reflection } kind = Zeros;
  double margin = 0;
};

enum class Interpolation { Linear, Nearest, Cubic };

/// The elements along one dimension that a value is made of.
struct AxisTaps {
  int64_t extent = 1;
  llvm::SmallVector<mlir::Value> positions; ///< integers in 0 .. extent-1
  llvm::SmallVector<mlir::Value> weights;   ///< floats
};

/// The taps at `coordinates`, floats that count elements from 0, along a
/// dimension of `extent` elements.
AxisTaps createTaps(NodeBinder &b, mlir::Value coordinates, int64_t extent,
                    Interpolation kind, Outside outside);

/// The values of `data`, C x places, of which `index` finds the leading
/// dimensions of the places and `axes` the following ones. Shapes of positions
/// and weights broadcast to that of the result, which C precedes. The weighted
/// elements are added, or the largest is taken.
mlir::Value interpolate(NodeBinder &b, mlir::Value data, const FlatIndex &index,
                        llvm::ArrayRef<AxisTaps> axes, bool largest = false);

/// The same with `data` N x C x spatial, and N x C x .. as the result.
mlir::Value interpolateImages(NodeBinder &b, mlir::Value data,
                              const FlatIndex &index,
                              llvm::ArrayRef<AxisTaps> axes,
                              bool largest = false);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_INTERPOLATION_H
