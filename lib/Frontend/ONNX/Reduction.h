// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions, for the operators that have some inside.
#ifndef CIM_LIB_FRONTEND_ONNX_REDUCTION_H
#define CIM_LIB_FRONTEND_ONNX_REDUCTION_H

#include "NodeBinder.h"

namespace cim::onnx {

/// nn.reduce along distinct axes in any order, or `x` itself when there are
/// none. Null after an error.
mlir::Value createReduce(NodeBinder &b, cim::nn::Reduction kind, mlir::Value x,
                         llvm::ArrayRef<int64_t> axes, bool keepDims);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_REDUCTION_H
