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

struct PlaceBlocksPass
    : public cim::impl::PlaceBlocksPassBase<PlaceBlocksPass> {
  using PlaceBlocksPassBase::PlaceBlocksPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    if (arrays < 0) {
      module.emitError("expected 'arrays' of at least 0, but got ") << arrays;
      return signalPassFailure();
    }
    SmallVector<BlockOp> blocks;
    SmallVector<Rectangle> rectangles;
    for (MatrixOp matrix : module.getOps<MatrixOp>())
      for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
        blocks.push_back(block);
        BlockExtent extent(block);
        rectangles.push_back({extent.cellRows(), extent.nCount});
        if (failed(checkSize(block, rectangles.back(), *arch)))
          return signalPassFailure();
      }
    Packing packing =
        packShelves(rectangles, arch->arrayRows(), arch->arrayColumns());
    if (failed(checkCount(*arch, packing, rectangles)))
      return signalPassFailure();
    std::string prefix = arrayPrefix();
    OpBuilder builder(&getContext());
    for (auto [block, place] : llvm::zip(blocks, packing.places)) {
      block.setArrayAttr(FlatSymbolRefAttr::get(
          &getContext(), prefix + std::to_string(place.array)));
      block.setRow(place.row);
      block.setColumn(place.column);
    }
  }

private:
  LogicalResult checkSize(BlockOp block, const Rectangle &size,
                          const Arch &arch) {
    if (size.rows <= arch.arrayRows() && size.columns <= arch.arrayColumns())
      return success();
    return block.emitOpError("needs ")
           << size.rows << " x " << size.columns
           << " cells, but an array of target '" << arch.name() << "' has "
           << arch.arrayRows() << " x " << arch.arrayColumns()
           << "; run 'cim-tile-matrices' with this target";
  }

  LogicalResult checkCount(const Arch &arch, const Packing &packing,
                           ArrayRef<Rectangle> rectangles) {
    int64_t limit = arrays ? int64_t(arrays) : arch.arrayCount();
    if (limit == 0 || packing.arrays <= limit)
      return success();
    int64_t bound =
        areaLowerBound(rectangles, arch.arrayRows(), arch.arrayColumns());
    InFlightDiagnostic error =
        getOperation().emitError("the network needs ")
        << packing.arrays << " arrays of " << arch.arrayRows() << " x "
        << arch.arrayColumns() << " cells (" << bound << " by area alone), but "
        << (arrays ? "'arrays' allows "
                   : "target '" + arch.name().str() + "' has ")
        << limit
        << "; allow more arrays, or use fewer cells per weight or a target "
           "with larger arrays";
    return error;
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
