// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Windows of pools, tap by tap.
#ifndef CIM_LIB_FRONTEND_ONNX_POOLWINDOWS_H
#define CIM_LIB_FRONTEND_ONNX_POOLWINDOWS_H

#include "Compose.h"
#include "Window.h"

namespace cim::onnx {

/// `input` surrounded by `fill` as far as the windows reach whose results have
/// shape `result`.
mlir::Value padForWindows(NodeBinder &b, mlir::Value input,
                          llvm::ArrayRef<int64_t> result, const Window &window,
                          float fill);

/// Where in the whole of `input` each window of MaxPool has its maximum, the
/// first if there are several; spatial dimensions count in column-major order
/// when asked for. Null on error.
mlir::Value largestPositions(NodeBinder &b, mlir::Value input,
                             llvm::ArrayRef<int64_t> result,
                             const Window &window, bool columnMajor);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_POOLWINDOWS_H
