// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The nn dialect: neural networks with ONNX semantics, normalised.
#ifndef CIM_DIALECT_NN_IR_NN_H
#define CIM_DIALECT_NN_IR_NN_H

#include "cim/Interfaces/CrossbarOpInterface.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "cim/Dialect/NN/IR/NNDialect.h.inc"
#include "cim/Dialect/NN/IR/NNEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "cim/Dialect/NN/IR/NNAttrs.h.inc"

namespace cim::nn {
/// The shape of a tensor.
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getShape();
}

/// Every element of the result is computed from the elements of the operands
/// at its place, after broadcasting.
template <typename ConcreteType>
class Elementwise : public mlir::OpTrait::TraitBase<ConcreteType, Elementwise> {
};
} // namespace cim::nn

#define GET_OP_CLASSES
#include "cim/Dialect/NN/IR/NNOps.h.inc"

#endif // CIM_DIALECT_NN_IR_NN_H
