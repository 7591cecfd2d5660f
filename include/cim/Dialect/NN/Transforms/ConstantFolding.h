// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of nn ops on constants, for import and nn-fold-constants.
#ifndef CIM_DIALECT_NN_TRANSFORMS_CONSTANTFOLDING_H
#define CIM_DIALECT_NN_TRANSFORMS_CONSTANTFOLDING_H

#include "cim/Dialect/NN/IR/NN.h"

namespace cim::nn {

/// True when foldConstantOp() knows the op and all operands are constants, or
/// dequantised constants, with their data.
bool isFoldable(mlir::Operation *op);

/// Storage of the result of a foldable op: the numbers that the compiled
/// program would compute, floats in binary32.
llvm::FailureOr<mlir::ElementsAttr> foldConstantOp(mlir::Operation *op);

/// The part of foldConstantOp() for element-wise ops.
llvm::FailureOr<mlir::ElementsAttr> foldElementwise(mlir::Operation *op);

/// The part of foldConstantOp() for nn.reduce.
llvm::FailureOr<mlir::ElementsAttr> foldReduction(ReduceOp op);

/// The part of foldConstantOp() for nn.broadcast, nn.gather and nn.scatter of
/// numbers.
llvm::FailureOr<mlir::ElementsAttr> foldIndexing(mlir::Operation *op);

/// The elements of `value` as `op`, a transpose, reshape, slice or pad, moves
/// those of its operand.
llvm::FailureOr<mlir::ElementsAttr> moveElements(mlir::Operation *op,
                                                 mlir::ElementsAttr value);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_CONSTANTFOLDING_H
