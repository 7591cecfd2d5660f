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

/// Columns [first, first + columns) of a block, and where they go.
struct Placement {
  BlockOp block;
  Piece piece;
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
    FailureOr<SmallVector<Placement>> chosen = choose(*arch);
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

  /// All blocks of the module, those of the same rows of a matrix in one group
  /// as long as an array has the columns for them.
  SmallVector<Group> collectGroups(const Arch &arch) {
    SmallVector<Group> result;
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>()) {
      int64_t k = -1, kCount = -1, width = 0;
      for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
        BlockExtent extent(block);
        bool joins = extent.k == k && extent.kCount == kCount &&
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

  static Rectangle rectangleOf(const Group &group) {
    Rectangle rectangle;
    for (BlockOp block : group) {
      BlockExtent extent(block);
      rectangle.rows = extent.cellRows();
      rectangle.parts.push_back(extent.nCount);
    }
    return rectangle;
  }

  /// Appends what of the group's blocks lies in `piece`.
  static void distribute(const Group &group, const Piece &piece,
                         SmallVectorImpl<Placement> &placements) {
    int64_t begin = 0;
    for (BlockOp block : group) {
      int64_t end = begin + BlockExtent(block).nCount;
      int64_t from = std::max(begin, piece.first);
      int64_t to = std::min(end, piece.first + piece.columns);
      if (from < to) {
        Piece part = piece;
        part.first = from - begin;
        part.columns = to - from;
        part.column += from - piece.first;
        placements.push_back({block, part});
      }
      begin = end;
    }
  }

  /// Fewest arrays; what lies side by side is taken apart only to save one, and
  /// blocks are cut only where nothing else fits, since every cut costs an
  /// activation more.
  FailureOr<SmallVector<Placement>> choose(const Arch &arch) {
    SmallVector<Group> groups = collectGroups(arch);
    auto rectangles = llvm::map_to_vector(groups, rectangleOf);
    int64_t limit = arrays ? int64_t(arrays) : arch.arrayCount();
    auto pack = [&](Cuts cuts) {
      return packShelves(rectangles, arch.arrayRows(), arch.arrayColumns(),
                         cuts);
    };
    Packing best = pack(Cuts::None);
    for (Cuts cuts : {Cuts::Rectangles, Cuts::Parts}) {
      if (cuts == Cuts::Parts && (limit == 0 || best.arrays <= limit))
        break;
      Packing packing = pack(cuts);
      if (packing.arrays < best.arrays)
        best = std::move(packing);
    }
    if (limit && best.arrays > limit)
      return reportTooMany(arch, best.arrays, limit, rectangles);
    SmallVector<Placement> placements; // in the order of the module
    for (const Piece &piece : best.pieces)
      distribute(groups[piece.rectangle], piece, placements);
    return placements;
  }

  LogicalResult reportTooMany(const Arch &arch, int64_t needed, int64_t limit,
                              ArrayRef<Rectangle> rectangles) {
    int64_t bound =
        areaLowerBound(rectangles, arch.arrayRows(), arch.arrayColumns());
    return getOperation().emitError("the network needs ")
           << needed << " arrays of " << arch.arrayRows() << " x "
           << arch.arrayColumns() << " cells (" << bound
           << " by area alone), but "
           << (arrays ? "'arrays' allows "
                      : "target '" + arch.name().str() + "' has ")
           << limit
           << "; allow more arrays, or use fewer cells per weight or a target "
              "with larger arrays";
  }

  void apply(ArrayRef<Placement> placements) {
    std::string prefix = arrayPrefix();
    OpBuilder builder(&getContext());
    for (const auto &[block, piece] : placements) {
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
    for (const auto &[block, piece] : placements)
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
