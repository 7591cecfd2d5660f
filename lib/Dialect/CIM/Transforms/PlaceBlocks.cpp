// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-place-blocks: array, row and column of every block.
#include "Packing.h"
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"

namespace cim {
#define GEN_PASS_DEF_PLACEBLOCKSPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// Blocks that go into an array side by side.
using Group = SmallVector<BlockOp, 4>;

/// Where a block, or columns of it, goes.
struct Placement {
  BlockOp block;
  Piece piece;
};

struct Candidate {
  SmallVector<Placement> placements; ///< in the order of the module
  int64_t arrays;
};

struct PlaceBlocksPass
    : public cim::impl::PlaceBlocksPassBase<PlaceBlocksPass> {
  using PlaceBlocksPassBase::PlaceBlocksPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    if (arrays < 0) {
      module.emitError("expected 'arrays' of at least 0, but got ")
          << int64_t(arrays);
      return signalPassFailure();
    }
    for (MatrixOp matrix : module.getOps<MatrixOp>())
      for (BlockOp block : matrix.getBody().getOps<BlockOp>())
        if (failed(checkSize(block, *arch)))
          return signalPassFailure();
    FailureOr<Candidate> chosen = choose(*arch);
    if (failed(chosen))
      return signalPassFailure();
    apply(*chosen);
  }

private:
  LogicalResult checkSize(BlockOp block, const Arch &arch) {
    BlockExtent size(block);
    if (size.cellRows() <= arch.arrayRows() &&
        size.nCount <= arch.arrayColumns())
      return success();
    return block.emitOpError("needs ")
           << size.cellRows() << " x " << size.nCount
           << " cells, but an array of target '" << arch.name() << "' has "
           << arch.arrayRows() << " x " << arch.arrayColumns()
           << "; run 'cim-tile-matrices' with this target";
  }

  /// All blocks of the module; with `together`, those of the same rows of a
  /// matrix in one group as long as an array has the columns for them.
  SmallVector<Group> groups(const Arch &arch, bool together) {
    SmallVector<Group> result;
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>()) {
      int64_t k = -1, kCount = -1, width = 0;
      for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
        BlockExtent extent(block);
        bool joins = together && extent.k == k && extent.kCount == kCount &&
                     width + extent.nCount <= arch.arrayColumns();
        if (!joins) {
          result.emplace_back();
          width = 0;
        }
        result.back().push_back(block);
        width += extent.nCount;
        k = extent.k;
        kCount = extent.kCount;
      }
    }
    return result;
  }

  static SmallVector<Rectangle> rectangles(ArrayRef<Group> groups) {
    SmallVector<Rectangle> result;
    for (const Group &group : groups) {
      Rectangle rectangle;
      for (BlockOp block : group) {
        BlockExtent extent(block);
        rectangle.rows = extent.cellRows();
        rectangle.columns += extent.nCount;
      }
      result.push_back(rectangle);
    }
    return result;
  }

  Candidate pack(const Arch &arch, bool together, bool cut) {
    SmallVector<Group> grouped = groups(arch, together);
    Packing packing = packShelves(rectangles(grouped), arch.arrayRows(),
                                  arch.arrayColumns(), cut);
    Candidate candidate{{}, packing.arrays};
    for (const Piece &piece : packing.pieces) {
      if (cut) {
        candidate.placements.push_back(
            {grouped[piece.rectangle].front(), piece});
        continue;
      }
      Piece part = piece;
      for (BlockOp block : grouped[piece.rectangle]) {
        part.columns = BlockExtent(block).nCount;
        candidate.placements.push_back({block, part});
        part.column += part.columns;
      }
    }
    return candidate;
  }

  /// Fewest arrays; blocks of the same rows together where that costs none; cut
  /// only where nothing else fits, since a cut costs an activation more.
  FailureOr<Candidate> choose(const Arch &arch) {
    int64_t limit = arrays ? int64_t(arrays) : arch.arrayCount();
    Candidate best = pack(arch, /*together=*/true, /*cut=*/false);
    Candidate single = pack(arch, /*together=*/false, /*cut=*/false);
    if (single.arrays < best.arrays)
      best = std::move(single);
    if (limit == 0 || best.arrays <= limit)
      return best;
    Candidate cut = pack(arch, /*together=*/false, /*cut=*/true);
    if (cut.arrays <= limit)
      return cut;
    int64_t bound = areaLowerBound(rectangles(groups(arch, /*together=*/false)),
                                   arch.arrayRows(), arch.arrayColumns());
    return getOperation().emitError("the network needs ")
           << std::min(best.arrays, cut.arrays) << " arrays of "
           << arch.arrayRows() << " x " << arch.arrayColumns() << " cells ("
           << bound << " by area alone), but "
           << (arrays ? "'arrays' allows "
                      : "target '" + arch.name().str() + "' has ")
           << limit
           << "; allow more arrays, or use fewer cells per weight or a target "
              "with larger arrays";
  }

  void apply(const Candidate &candidate) {
    std::string prefix = arrayPrefix();
    OpBuilder builder(&getContext());
    for (const auto &[block, piece] : candidate.placements) {
      BlockOp target = block;
      BlockExtent extent(target);
      if (piece.columns != extent.nCount) {
        builder.setInsertionPoint(target);
        target = cast<BlockOp>(builder.clone(*target));
        target.setN(extent.n + piece.first);
        target.setNCount(piece.columns);
      }
      target.setArrayAttr(FlatSymbolRefAttr::get(
          &getContext(), prefix + std::to_string(piece.array)));
      target.setRow(piece.row);
      target.setColumn(piece.column);
    }
    // What was cut is there in pieces now.
    for (const auto &[block, piece] : candidate.placements)
      if (piece.first == 0 && piece.columns != BlockExtent(block).nCount)
        BlockOp(block).erase();
  }

  /// What array names begin with, so that none clashes with another symbol.
  std::string arrayPrefix() {
    std::string prefix = "array";
    auto clashes = [&](Operation &op) {
      auto symbol = dyn_cast<SymbolOpInterface>(op);
      return symbol && symbol.getName().starts_with(prefix);
    };
    while (llvm::any_of(*getOperation().getBody(), clashes))
      prefix += '_';
    return prefix;
  }
};

} // namespace
