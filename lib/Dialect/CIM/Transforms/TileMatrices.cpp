// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-tile-matrices: rectangles of a matrix that fit into an array.
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/CIM/Transforms/Tiling.h"

namespace cim {
#define GEN_PASS_DEF_TILEMATRICESPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

/// Cuts rows [k, k + kCount) by columns [n, n + nCount) into at most `height` x
/// `width`, rows evenly.
static void cutRectangle(const MatrixTile &whole, int64_t height, int64_t width,
                         SmallVectorImpl<MatrixTile> &tiles) {
  int64_t blocks = llvm::divideCeil(whole.kCount, height);
  int64_t rows = llvm::divideCeil(whole.kCount, blocks);
  for (int64_t k = 0; k < whole.kCount; k += rows)
    for (int64_t n = 0; n < whole.nCount; n += width)
      tiles.push_back({whole.k + k, std::min(rows, whole.kCount - k),
                       whole.n + n, std::min(width, whole.nCount - n)});
}

SmallVector<MatrixTile> cim::tileMatrix(int64_t rows, int64_t columns,
                                        int64_t groups, int64_t height,
                                        int64_t width) {
  SmallVector<MatrixTile> tiles;
  if (rows == 0 || columns == 0)
    return tiles;
  int64_t groupRows = rows / groups, groupColumns = columns / groups;
  int64_t together = std::min(height / groupRows, width / groupColumns);
  // One group that does not fit is cut like a matrix of its own.
  int64_t step = groups == 1 ? 1 : std::max<int64_t>(together, 1);
  for (int64_t g = 0; g < groups; g += step) {
    int64_t count = std::min(step, groups - g);
    cutRectangle({g * groupRows, count * groupRows, g * groupColumns,
                  count * groupColumns},
                 height, width, tiles);
  }
  return tiles;
}

namespace {

struct TileMatricesPass
    : public cim::impl::TileMatricesPassBase<TileMatricesPass> {
  using TileMatricesPassBase::TileMatricesPassBase;

  void runOnOperation() override {
    FailureOr<Arch> arch = loadChip(getOperation(), target);
    if (failed(arch))
      return signalPassFailure();
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>())
      if (matrix.getBody().front().empty() && failed(tile(matrix, *arch)))
        return signalPassFailure();
  }

private:
  LogicalResult tile(MatrixOp matrix, const Arch &arch) {
    if (!matrix.getSplit())
      return matrix.emitOpError("expects planes of cells before it is tiled; "
                                "run 'cim-split-weights'");
    int64_t height = arch.arrayRows() / matrix.getRepeat();
    if (height == 0)
      return matrix.emitOpError("needs ")
             << matrix.getRepeat()
             << " rows for the cells of one weight, but an array of target '"
             << arch.name() << "' has " << arch.arrayRows()
             << "; use fewer cells or another split than 'unary'";
    SmallVector<MatrixTile> tiles =
        tileMatrix(matrix.getRows(), matrix.getColumns(), matrix.getGroups(),
                   height, arch.arrayColumns());
    int64_t planes = matrix.getRepeat() == 1 ? matrix.getCellsPerWeight() : 1;
    SmallVector<std::pair<int64_t, MatrixTile>> blocks;
    for (int64_t plane = 0; plane < planes; ++plane)
      for (const MatrixTile &tile : tiles)
        blocks.emplace_back(plane, tile);
    // The order of accumulation of docs/Numerics.md section 3.
    llvm::sort(blocks, [](const auto &a, const auto &b) {
      return std::tuple(a.second.k, a.first, a.second.n) <
             std::tuple(b.second.k, b.first, b.second.n);
    });
    OpBuilder builder = OpBuilder::atBlockBegin(&matrix.getBody().front());
    for (auto &[plane, tile] : blocks)
      BlockOp::create(builder, matrix.getLoc(), plane, tile.k, tile.kCount,
                      tile.n, tile.nCount, FloatAttr(), FlatSymbolRefAttr(),
                      IntegerAttr(), IntegerAttr());
    return success();
  }
};

} // namespace
