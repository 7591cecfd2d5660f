// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pieces that handlers build compositions of. Each gives back its operand when
// there is nothing to do, and null after an error.
#ifndef CIM_LIB_FRONTEND_ONNX_COMPOSE_H
#define CIM_LIB_FRONTEND_ONNX_COMPOSE_H

#include "NodeBinder.h"

namespace cim::onnx {

/// The extents of a value; none after an error.
llvm::SmallVector<int64_t> shapeOf(mlir::Value value);

/// Of each dimension, `size` elements, every `step`-th from `start`.
mlir::Value slice(NodeBinder &b, mlir::Value value,
                  llvm::ArrayRef<int64_t> starts, llvm::ArrayRef<int64_t> sizes,
                  llvm::SmallVector<int64_t> steps);

/// `size` elements of dimension `dim`, every `step`-th from `start`.
mlir::Value sliceAlong(NodeBinder &b, mlir::Value value, int64_t dim,
                       int64_t start, int64_t size, int64_t step = 1);

/// Dimension `dim` with `begin` and `end` zeros around it.
mlir::Value padAlong(NodeBinder &b, mlir::Value value, int64_t dim,
                     int64_t begin, int64_t end);

/// Dimension i of the result is dimension `permutation[i]` of `value`.
mlir::Value permute(NodeBinder &b, mlir::Value value,
                    llvm::ArrayRef<int64_t> permutation);

/// Values of one shape joined along a new dimension `dim`.
mlir::Value stack(NodeBinder &b, llvm::ArrayRef<mlir::Value> values,
                  int64_t dim);

/// `value` is N x C x blocks x spatial, one block dimension for each spatial
/// one. Every position is replaced by its block.
mlir::Value blocksToSpace(NodeBinder &b, mlir::Value value);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_COMPOSE_H
