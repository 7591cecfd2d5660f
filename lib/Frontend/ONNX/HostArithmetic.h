// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shape arithmetic: operators whose operands are all constants are computed
// at import, so that sizes, pads and axes become attributes.
#ifndef CIM_LIB_FRONTEND_ONNX_HOSTARITHMETIC_H
#define CIM_LIB_FRONTEND_ONNX_HOSTARITHMETIC_H

#include "NodeBinder.h"

namespace cim::onnx {

enum class HostBinary { Add, Sub, Mul, Div };

/// Computes a binary operator of constants with broadcasting. Integers wrap,
/// integer division truncates (ONNX Div) and by zero is an error.
llvm::LogicalResult foldBinary(NodeBinder &binder, HostBinary op);

/// Computes `function` on every element of a float constant.
llvm::LogicalResult foldUnary(NodeBinder &binder, double (*function)(double));

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_HOSTARITHMETIC_H
