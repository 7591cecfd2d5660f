// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of nn ops on constants, for nn-fold-constants.
#ifndef CIM_LIB_DIALECT_NN_TRANSFORMS_CONSTANTFOLDING_H
#define CIM_LIB_DIALECT_NN_TRANSFORMS_CONSTANTFOLDING_H

#include "cim/Dialect/NN/IR/NN.h"

namespace cim::nn {

/// True when foldConstantOp() knows the op and all operands are constants, or
/// dequantised constants, with their data.
bool isFoldable(mlir::Operation *op);

/// Storage of the result of a foldable op, computed as docs/Numerics.md says,
/// in binary32. Fails when a result is not finite.
llvm::FailureOr<mlir::ElementsAttr> foldConstantOp(mlir::Operation *op);

/// The elements of `value` as `op`, a transpose, reshape or slice, moves those
/// of its operand.
llvm::FailureOr<mlir::ElementsAttr> moveElements(mlir::Operation *op,
                                                 mlir::ElementsAttr value);

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_TRANSFORMS_CONSTANTFOLDING_H
