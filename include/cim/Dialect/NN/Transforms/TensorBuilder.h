// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Computations on tensors, written as ops of the nn dialect.
#ifndef CIM_DIALECT_NN_TRANSFORMS_TENSORBUILDER_H
#define CIM_DIALECT_NN_TRANSFORMS_TENSORBUILDER_H

#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/IR/Builders.h"

namespace cim::nn {

/// Makes nn ops at one location. What would change nothing (reshape, broadcast,
/// pad, slice) is not made: the operand is the result.
class TensorBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  /// The result of a new op.
  template <typename Op, typename... Args> mlir::Value make(Args &&...args) {
    return create<Op>(std::forward<Args>(args)...)->getResult(0);
  }

  /// A constant of rank 0.
  mlir::Value scalar(float value) { return constant({}, value); }
  /// A constant; many values become a resource named like `hint`.
  mlir::Value constant(llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<float> values,
                       llvm::StringRef hint = "constant");
  /// `value` in every element.
  mlir::Value splat(llvm::ArrayRef<int64_t> shape, float value) {
    return broadcast(scalar(value), shape);
  }
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> shape);

  mlir::Value compare(Predicate predicate, mlir::Value a, mlir::Value b) {
    return make<CompareOp>(a, b, predicate);
  }
  /// `value` where `mask` holds, else 0.
  mlir::Value keepWhere(mlir::Value mask, mlir::Value value) {
    return make<SelectOp>(mask, value, scalar(0));
  }
  /// The sum along `axes`, of extent 1 when they are kept.
  mlir::Value sum(mlir::Value value, llvm::ArrayRef<int64_t> axes,
                  bool keepDims = true) {
    return make<ReduceOp>(value, Reduction::Sum, axes, keepDims);
  }
  /// A quantised tensor in float.
  mlir::Value real(mlir::Value value);

  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  /// Dimension i of the result is `order[i]` of the operand.
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> order) {
    return make<TransposeOp>(value, order);
  }
  /// With as many elements `with` in front and behind as `begin` and `end` say.
  mlir::Value pad(mlir::Value value, llvm::ArrayRef<int64_t> begin,
                  llvm::ArrayRef<int64_t> end, float with = 0);
  /// `sizes` elements, every `steps`-th one from `starts` on.
  mlir::Value slice(mlir::Value value, llvm::ArrayRef<int64_t> starts,
                    llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> steps);
  /// `count` rows, or columns, of a matrix from `start` on.
  mlir::Value rows(mlir::Value matrix, int64_t start, int64_t count) {
    return slice(matrix, {start, 0}, {count, shapeOf(matrix)[1]}, {1, 1});
  }
  mlir::Value columns(mlir::Value matrix, int64_t start, int64_t count) {
    return slice(matrix, {0, start}, {shapeOf(matrix)[0], count}, {1, 1});
  }
  /// The elements in reverse along `dims`.
  mlir::Value reverse(mlir::Value value, llvm::ArrayRef<int64_t> dims);
  /// Zeros of shape `extents`, and element j of `value` at `starts + j * steps`
  /// (steps above 0) of every dimension; what lies outside is left out.
  mlir::Value place(mlir::Value value, llvm::ArrayRef<int64_t> extents,
                    llvm::ArrayRef<int64_t> starts,
                    llvm::ArrayRef<int64_t> steps);
};

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_TENSORBUILDER_H
