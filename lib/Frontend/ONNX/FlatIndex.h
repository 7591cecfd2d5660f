// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Positions along several dimensions as one position along all of them, which
// is what nn.gather and nn.scatter take.
#ifndef CIM_LIB_FRONTEND_ONNX_FLATINDEX_H
#define CIM_LIB_FRONTEND_ONNX_FLATINDEX_H

#include "NodeBinder.h"

namespace cim::onnx {

/// The numbers 0 .. extent-1 along dimension `dim` of a tensor of rank `rank`
/// whose other dimensions have extent 1.
mlir::Value createPositions(NodeBinder &b, int64_t extent, size_t dim,
                            size_t rank);

/// Integers as the 64-bit ones that positions are computed in.
inline mlir::Value toPositions(NodeBinder &b, mlir::Value value) {
  return b.createCast(value, mlir::IntegerType::get(b.context(), 64));
}

/// Collects one tensor of positions per dimension, outermost first; they
/// broadcast to the shape of the result.
class FlatIndex {
public:
  explicit FlatIndex(NodeBinder &b) : b(b) {}

  /// Positions known to lie in 0 .. extent-1.
  void add(mlir::Value positions, int64_t extent);
  /// Positions that may be out of bounds.
  void addBounded(mlir::Value positions, int64_t extent);
  /// Indices of the network: negative ones count from the end, and any may be
  /// out of bounds.
  void addIndices(mlir::Value indices, int64_t extent);

  /// For nn.gather: what is out of bounds along one dimension is the nearest
  /// position of that dimension.
  mlir::Value forGather() const { return flat; }
  /// For nn.scatter: what is out of bounds along one dimension is so along all.
  mlir::Value forScatter() const;
  /// How many positions there are.
  int64_t extent() const { return total; }
  /// `data` with the indexed dimensions, its first ones, as one.
  mlir::Value flatten(mlir::Value data) const;

private:
  NodeBinder &b;
  size_t dims = 0;
  mlir::Value flat;    ///< null without dimensions
  mlir::Value outside; ///< truth values; null while nothing can be
  int64_t total = 1;
};

/// The index of GatherElements and ScatterElements: operand `operand` says the
/// position along `axis` of a tensor of shape `shape`, its own place the
/// others.
FlatIndex elementIndex(NodeBinder &b, size_t operand,
                       llvm::ArrayRef<int64_t> shape, int64_t axis);

/// The index of GatherND and ScatterND: the last dimension of operand
/// `operand` holds positions along the dimensions of `shape` that follow
/// `batchDims` ones which both tensors have.
FlatIndex tupleIndex(NodeBinder &b, size_t operand,
                     llvm::ArrayRef<int64_t> shape, int64_t batchDims);

/// The elements of `data` along its dimensions 0 and 1 (time and batch in any
/// order) with the first `lengths[batch]` of each sequence reversed.
mlir::Value reverseSequences(NodeBinder &b, mlir::Value data,
                             mlir::Value lengths, int64_t timeAxis);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_FLATINDEX_H
