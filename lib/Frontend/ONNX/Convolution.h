// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions of one to three spatial dimensions as nn.conv.
#ifndef CIM_LIB_FRONTEND_ONNX_CONVOLUTION_H
#define CIM_LIB_FRONTEND_ONNX_CONVOLUTION_H

#include "Window.h"

namespace cim::onnx {

/// Emits a convolution as nn.conv says it, with one to three spatial
/// dimensions; `bias` may be null. Null on error.
mlir::Value createConvolution(NodeBinder &b, mlir::Value input,
                              mlir::Value weights, mlir::Value bias,
                              const Window &window, int64_t groups);

/// The convolution that the node describes, whose input and weights are the
/// operands of these numbers, as the given values.
mlir::Value convolveOperands(NodeBinder &b, size_t inputIndex,
                             size_t weightIndex, mlir::Value input,
                             mlir::Value weights, mlir::Value bias);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_CONVOLUTION_H
