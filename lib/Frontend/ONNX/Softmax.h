// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The logarithm of softmax, for the operators that have it inside.
#ifndef CIM_LIB_FRONTEND_ONNX_SOFTMAX_H
#define CIM_LIB_FRONTEND_ONNX_SOFTMAX_H

#include "NodeBinder.h"

namespace cim::onnx {

/// log(softmax(x)) of powers that do not overflow. Null after an error.
mlir::Value createLogSoftmax(NodeBinder &b, mlir::Value x, int64_t axis);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_SOFTMAX_H
