// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Short names for the ops of the nn dialect that a tuning program is made of.
#ifndef CIM_LIB_CALIBRATION_PROGRAMBUILDER_H
#define CIM_LIB_CALIBRATION_PROGRAMBUILDER_H

#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"

namespace cim {

/// Builds, at one place and location, what a program computes in float.
class ProgramBuilder {
public:
  ProgramBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  template <typename OpTy, typename... Args>
  mlir::TypedValue<mlir::RankedTensorType> create(Args &&...args) {
    return llvm::cast<mlir::TypedValue<mlir::RankedTensorType>>(
        OpTy::create(builder, loc, std::forward<Args>(args)...)
            .getOperation()
            ->getResult(0));
  }

  mlir::Value constant(llvm::ArrayRef<float> values) {
    return nn::createFloats(builder, loc, int64_t(values.size()), values,
                            "tuned");
  }

  mlir::Value constant(llvm::ArrayRef<double> values) {
    return constant(std::vector<float>(values.begin(), values.end()));
  }

  static llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
    return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
  }

  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape) {
    auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
    return create<nn::ReshapeOp>(type.clone(shape), value);
  }

  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> order) {
    return create<nn::TransposeOp>(value, order);
  }

  mlir::Value sum(mlir::Value value, llvm::ArrayRef<int64_t> axes,
                  bool keepDims) {
    return create<nn::ReduceOp>(value, nn::Reduction::Sum, axes, keepDims);
  }

  mlir::Value add(mlir::Value a, mlir::Value b) {
    return create<nn::AddOp>(a, b);
  }

  mlir::Value multiply(mlir::Value a, mlir::Value b) {
    return create<nn::MulOp>(a, b);
  }

  /// The logarithm of the softmax along `axis`.
  mlir::Value logSoftmax(mlir::Value value, int64_t axis) {
    mlir::Value top = create<nn::ReduceOp>(value, nn::Reduction::Max,
                                           llvm::ArrayRef<int64_t>(axis), true);
    mlir::Value shifted = create<nn::SubOp>(value, top);
    mlir::Value all = sum(create<nn::ExpOp>(shifted), axis, true);
    return create<nn::SubOp>(shifted, create<nn::LogOp>(all));
  }

  /// The block of `sizes` from `starts` on, every `steps`-th element of it.
  mlir::Value slice(mlir::Value value, llvm::ArrayRef<int64_t> starts,
                    llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> steps) {
    return create<nn::SliceOp>(value, starts, sizes, steps);
  }

  mlir::Value rows(mlir::Value matrix, int64_t start, int64_t count) {
    return slice(matrix, {start, 0}, {count, shapeOf(matrix)[1]}, {1, 1});
  }

  mlir::Value columns(mlir::Value matrix, int64_t start, int64_t count) {
    return slice(matrix, {0, start}, {shapeOf(matrix)[0], count}, {1, 1});
  }

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_PROGRAMBUILDER_H
