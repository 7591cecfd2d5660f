// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numbers of a cim.block in one signed struct.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_BLOCKEXTENT_H
#define CIM_DIALECT_CIM_TRANSFORMS_BLOCKEXTENT_H

#include "cim/Dialect/CIM/IR/CIM.h"

namespace cim {

/// Fields of a block as cim_block (include/cim-c/hal.h) names them.
struct BlockExtent {
  int64_t plane, k, kCount, n, nCount;
  /// Place in the array; 0 while the block has none.
  int64_t row, column;
  /// Rows of cells that one matrix row takes.
  int64_t repeat;

  explicit BlockExtent(BlockOp block)
      : plane(block.getPlane()), k(block.getK()), kCount(block.getKCount()),
        n(block.getN()), nCount(block.getNCount()),
        row(block.getRow().value_or(0)), column(block.getColumn().value_or(0)) {
    mlir::Operation *parent = block->getParentOp();
    if (auto matrix = llvm::dyn_cast<MatrixOp>(parent))
      repeat = matrix.getRepeat();
    else
      repeat = llvm::cast<LayerOp>(parent).getRepeat();
  }

  /// Rows of the array that the block takes.
  int64_t cellRows() const { return kCount * repeat; }
  int64_t endRow() const { return row + cellRows(); }
  int64_t endColumn() const { return column + nCount; }

  bool overlaps(const BlockExtent &other) const {
    return row < other.endRow() && other.row < endRow() &&
           column < other.endColumn() && other.column < endColumn();
  }
};

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_BLOCKEXTENT_H
