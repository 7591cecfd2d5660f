// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing the numbers of nn.constant, whether they are dense or
// resources.
#ifndef CIM_DIALECT_NN_TRANSFORMS_CONSTANTDATA_H
#define CIM_DIALECT_NN_TRANSFORMS_CONSTANTDATA_H

#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/IR/Builders.h"
#include <vector>

namespace cim::nn {

/// Values of a binary32 `nn.constant` in row-major order, splats expanded;
/// failure when `value` is anything else, with an error only when the data
/// of its resource is missing.
llvm::FailureOr<std::vector<float>> readFloats(mlir::Value value);

/// The one value of a float constant that has one element or is a splat.
llvm::FailureOr<float> readScalar(mlir::Value value);

/// Storage integers of an integer or quantised `nn.constant`.
llvm::FailureOr<std::vector<int64_t>> readIntegers(mlir::Value value);

/// Real values of a float or uniformly quantised `nn.constant`, also through
/// one `nn.dequantize`.
llvm::FailureOr<std::vector<float>> readReals(mlir::Value value);

/// A float constant; more than a few values become a resource named like
/// `hint`.
ConstantOp createFloats(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<float> values, llvm::StringRef hint);

/// A constant of a quantised type whose storage is signed and 8 bits wide.
ConstantOp createQuantized(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::RankedTensorType type,
                           llvm::ArrayRef<int8_t> values, llvm::StringRef hint);

/// Weights as integers of [-levels, levels] with one scale per index of a
/// dimension.
struct ChannelIntegers {
  std::vector<int8_t> values;
  std::vector<double> scales;
  int64_t levels = 1;
};

/// Number of elements between two neighbours along dimension `dim`; the
/// channel of element i is `i / innerSize % shape[dim]`.
int64_t getInnerSize(llvm::ArrayRef<int64_t> shape, int64_t dim);

/// A constant of `tensor<shape x !quant.uniform<i8<-levels:levels>:f32:dim>>`.
mlir::Value createWeights(mlir::OpBuilder &builder, mlir::Location loc,
                          llvm::ArrayRef<int64_t> shape, int64_t dim,
                          const ChannelIntegers &weights);

/// Name of the ONNX node that `op` comes from; empty when there is none.
llvm::StringRef getNodeName(mlir::Operation *op);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_CONSTANTDATA_H
