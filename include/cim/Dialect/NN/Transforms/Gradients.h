// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reverse-mode differentiation of the nn dialect.
#ifndef CIM_DIALECT_NN_TRANSFORMS_GRADIENTS_H
#define CIM_DIALECT_NN_TRANSFORMS_GRADIENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace cim::nn {

/// Builds, in front of the terminator of `function` (one block), the gradients
/// of the sum of all elements of `of` (float tensors) with respect to each of
/// `values` (float tensors of the function): ops of the nn dialect. Rounding
/// counts as the identity within the range of the type (straight-through
/// estimator: Bengio, Leonard, Courville 2013), and a quantised tensor has the
/// gradient of what it stands for. Where a maximum is taken by several elements
/// they share its gradient, but for nn.max and nn.min, whose first operand has
/// it. What is computed from integers and truth values counts as constant.
///
/// A value that `of` does not depend on has a gradient of zeros. An op on the
/// way that has no gradient is an error at it, which leaves the function with
/// ops that nothing uses.
llvm::FailureOr<llvm::SmallVector<mlir::Value>>
createGradients(mlir::func::FuncOp function, mlir::ValueRange of,
                mlir::ValueRange values);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_GRADIENTS_H
