// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the operators that multiply matrices share.
#ifndef CIM_LIB_FRONTEND_ONNX_PRODUCTS_H
#define CIM_LIB_FRONTEND_ONNX_PRODUCTS_H

#include "NodeBinder.h"

namespace cim::onnx {

/// NumPy matmul: a vector is a row on the left, a column on the right, and its
/// dimension is missing in the result. Null on error.
mlir::Value createMatMul(NodeBinder &b, mlir::Value left, mlir::Value right);

/// Swaps the last two dimensions.
mlir::Value transposeMatrices(NodeBinder &b, mlir::Value value);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_PRODUCTS_H
