// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sliding windows of convolutions and pools: kernel, strides, pads.
#ifndef CIM_LIB_FRONTEND_ONNX_WINDOW_H
#define CIM_LIB_FRONTEND_ONNX_WINDOW_H

#include "NodeBinder.h"

namespace cim::onnx {

/// One entry a spatial dimension; pads has all begins, then all ends.
struct Window {
  llvm::SmallVector<int64_t> kernel;
  llvm::SmallVector<int64_t> strides;
  llvm::SmallVector<int64_t> dilations;
  llvm::SmallVector<int64_t> pads;
  bool autoPad = false; ///< pads come from auto_pad
};

/// Reads strides, dilations, pads and auto_pad of a node whose operand has
/// `spatial` extents, with explicit pads as result. Check binder.failed().
Window readWindow(NodeBinder &binder, llvm::ArrayRef<int64_t> spatial,
                  llvm::ArrayRef<int64_t> kernel);

/// Extents behind N and C; an error unless `minRank` <= rank <= `maxRank`.
llvm::SmallVector<int64_t> spatialExtents(NodeBinder &binder, size_t index,
                                          size_t minRank, size_t maxRank);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_WINDOW_H
