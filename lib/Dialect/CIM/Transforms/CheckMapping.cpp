// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Phase contracts of matrices: weights, planes, blocks, gains, places.
#include "PhaseChecks.h"
#include "cim/Dialect/CIM/IR/Splits.h"
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace mlir;
using namespace cim;

/// Whether input row k can reach output column n of a block-diagonal matrix.
static bool inSameGroup(int64_t k, int64_t n, int64_t rows, int64_t columns,
                        int64_t groups) {
  return k / (rows / groups) == n / (columns / groups);
}

LogicalResult cim::checkWeights(MatrixOp matrix) {
  FailureOr<std::vector<int8_t>> weights =
      readElements<int8_t>(matrix.getLoc(), matrix.getWeights());
  if (failed(weights))
    return failure();
  int64_t rows = matrix.getRows(), columns = matrix.getColumns();
  int64_t levels = matrix.getLevels(), groups = matrix.getGroups();
  for (int64_t k = 0; k < rows; ++k)
    for (int64_t n = 0; n < columns; ++n) {
      int64_t weight = (*weights)[k * columns + n];
      if (std::abs(weight) > levels)
        return matrix.emitOpError("expects weights from ")
               << -levels << " to " << levels << ", but row " << k
               << ", column " << n << " holds " << weight;
      if (weight != 0 && !inSameGroup(k, n, rows, columns, groups))
        return matrix.emitOpError("expects 0 between its ")
               << groups << " groups, but row " << k << ", column " << n
               << " holds " << weight;
    }
  return success();
}

LogicalResult cim::checkPlanes(MatrixOp matrix, const Arch &arch) {
  if (!matrix.getSplit())
    return matrix.emitOpError("expects planes of cells; run "
                              "'cim-split-weights'");
  Location loc = matrix.getLoc();
  auto weights = readElements<int8_t>(loc, matrix.getWeights());
  auto digits = readElements<int8_t>(loc, *matrix.getPlanes());
  auto significance = readElements<float>(loc, *matrix.getSignificance());
  if (failed(weights) || failed(digits) || failed(significance))
    return failure();
  for (float value : *significance)
    if (!std::isfinite(value))
      return matrix.emitOpError("expects finite significance, but got ")
             << value;
  int64_t cells = matrix.getCellsPerWeight(), columns = matrix.getColumns();
  std::vector<double> sums = addPlanes(*digits, cells, *significance, columns);
  for (size_t i = 0; i < weights->size(); ++i) {
    double sum = sums[i];
    for (int64_t p = 0; p < cells; ++p) {
      int64_t digit = (*digits)[p * weights->size() + i];
      if (digit < arch.cellLo() || digit > arch.cellHi())
        return matrix.emitOpError("expects cells from ")
               << arch.cellLo() << " to " << arch.cellHi() << ", but plane "
               << p << ", row " << i / columns << ", column " << i % columns
               << " holds " << digit;
    }
    bool isZero = (*weights)[i] == 0;
    bool exact = matrix.getSplit() != Split::Residual;
    if (exact && sum != (*weights)[i])
      return matrix.emitOpError("expects planes that add up to the weights, "
                                "but those of row ")
             << i / columns << ", column " << i % columns << " make " << sum
             << " of " << int64_t((*weights)[i]);
    if (!exact && isZero && sum != 0 &&
        !inSameGroup(i / columns, i % columns, matrix.getRows(), columns,
                     matrix.getGroups()))
      return matrix.emitOpError("expects empty cells between groups, but row ")
             << i / columns << ", column " << i % columns << " holds " << sum;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Remembers for every weight of a plane which block covers it.
static LogicalResult coverPlane(ArrayRef<BlockOp> blocks, Operation *owner,
                                int64_t rows, int64_t columns, int64_t groups,
                                int64_t plane) {
  std::vector<int32_t> cover(rows * columns, -1);
  for (auto [b, block] : llvm::enumerate(blocks)) {
    BlockExtent extent(block);
    if (extent.plane != plane)
      continue;
    for (int64_t k = extent.k; k < extent.k + extent.kCount; ++k)
      for (int64_t n = extent.n; n < extent.n + extent.nCount; ++n) {
        int32_t &other = cover[k * columns + n];
        if (other >= 0) {
          InFlightDiagnostic error = BlockOp(block).emitOpError("covers row ")
                                     << k << ", column " << n << " of plane "
                                     << plane << " again";
          error.attachNote(BlockOp(blocks[other]).getLoc())
              << "this block covers it first";
          return error;
        }
        other = b;
      }
  }
  for (int64_t k = 0; k < rows; ++k)
    for (int64_t n = 0; n < columns; ++n)
      if (cover[k * columns + n] < 0 &&
          inSameGroup(k, n, rows, columns, groups))
        return owner->emitOpError("expects blocks that cover every weight, but "
                                  "row ")
               << k << ", column " << n << " of plane " << plane << " has none";
  return success();
}

LogicalResult cim::checkCover(Operation *owner, int64_t rows, int64_t columns,
                              int64_t groups, int64_t planes) {
  constexpr int64_t maxWeights = int64_t(1) << 32;
  if (columns > 0 && rows > maxWeights / columns)
    return owner->emitOpError("has more than ") << maxWeights << " weights";
  SmallVector<BlockOp> blocks(owner->getRegion(0).getOps<BlockOp>());
  auto key = [](BlockOp block) {
    BlockExtent extent(block);
    return std::tuple(extent.k, extent.plane, extent.n);
  };
  for (size_t b = 1; b < blocks.size(); ++b) {
    if (key(blocks[b - 1]) <= key(blocks[b]))
      continue;
    InFlightDiagnostic error = blocks[b].emitOpError(
        "is out of order: results are added by first row, plane, first column");
    error.attachNote(blocks[b - 1].getLoc()) << "after this block";
    return error;
  }
  for (int64_t plane = 0; plane < planes; ++plane)
    if (failed(coverPlane(blocks, owner, rows, columns, groups, plane)))
      return failure();
  return success();
}

LogicalResult cim::checkBlocks(MatrixOp matrix, const Arch &arch) {
  for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
    BlockExtent extent(block);
    if (extent.cellRows() > arch.arrayRows() ||
        extent.nCount > arch.arrayColumns())
      return block.emitOpError("expects at most ")
             << arch.arrayRows() << " x " << arch.arrayColumns()
             << " cells, which an array of target '" << arch.name()
             << "' has, but takes " << extent.cellRows() << " x "
             << extent.nCount;
  }
  int64_t planes = matrix.getRepeat() == 1 ? matrix.getCellsPerWeight() : 1;
  return checkCover(matrix, matrix.getRows(), matrix.getColumns(),
                    matrix.getGroups(), planes);
}

LogicalResult cim::checkGains(MatrixOp matrix) {
  for (BlockOp block : matrix.getBody().getOps<BlockOp>())
    if (!block.getGain())
      return block.emitOpError("expects a gain; run 'cim-calibrate-layers' or "
                               "'cim-set-adc-gain'");
  return success();
}

LogicalResult cim::checkPlaces(ModuleOp module, const Arch &arch) {
  llvm::MapVector<StringRef, SmallVector<BlockOp>> arrays;
  for (MatrixOp matrix : module.getOps<MatrixOp>())
    for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
      if (!block.getArray())
        return block.emitOpError("expects a place; run 'cim-place-blocks'");
      BlockExtent extent(block);
      if (extent.row > arch.arrayRows() - extent.cellRows() ||
          extent.column > arch.arrayColumns() - extent.nCount)
        return block.emitOpError("leaves the ")
               << arch.arrayRows() << " x " << arch.arrayColumns()
               << " cells that an array of target '" << arch.name() << "' has";
      SmallVector<BlockOp> &others = arrays[*block.getArray()];
      for (BlockOp other : others)
        if (extent.overlaps(BlockExtent(other))) {
          InFlightDiagnostic error = block.emitOpError("lies in cells of @")
                                     << *block.getArray() << " that are taken";
          error.attachNote(other.getLoc()) << "by this block";
          return error;
        }
      others.push_back(block);
    }
  return success();
}
