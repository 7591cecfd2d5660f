// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Positions of the largest numbers along a dimension, for the operators that
// have some inside.
#ifndef CIM_LIB_FRONTEND_ONNX_RANKING_H
#define CIM_LIB_FRONTEND_ONNX_RANKING_H

#include "NodeBinder.h"

namespace cim::onnx {

/// The position of the largest number along `axis`, which is kept with extent
/// 1: the first of several, or the last. Null after an error.
mlir::Value createArgMax(NodeBinder &b, mlir::Value x, int64_t axis,
                         bool takesLast);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_RANKING_H
