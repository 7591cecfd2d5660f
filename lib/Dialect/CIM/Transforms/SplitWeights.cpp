// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-split-weights: planes of cells and their significance.
#include "cim/Dialect/CIM/Transforms/SplitWeights.h"

#include "cim/Dialect/CIM/Transforms/CellsPerLayer.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"

#include "cim/Dialect/CIM/Transforms/NodeName.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"

namespace cim {
#define GEN_PASS_DEF_SPLITWEIGHTSPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

struct SplitWeightsPass
    : public cim::impl::SplitWeightsPassBase<SplitWeightsPass> {
  using SplitWeightsPassBase::SplitWeightsPassBase;

  void runOnOperation() override {
    Location loc = getOperation().getLoc();
    FailureOr<CellsPerLayer> parsed = CellsPerLayer::parse(loc, cells);
    FailureOr<int64_t> limit = cellLimit(loc);
    if (failed(parsed) || failed(limit))
      return signalPassFailure();
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>())
      if (!matrix.getSplit() && failed(splitMatrix(matrix, *parsed, *limit)))
        return signalPassFailure();
  }

private:
  /// L such that a cell holds -L..L.
  FailureOr<int64_t> cellLimit(Location loc) {
    if (target.empty())
      return 1;
    FailureOr<Arch> arch = loadChip(getOperation(), target);
    if (failed(arch))
      return failure();
    int64_t limit = getCellLimit(*arch);
    if (arch->cellLo() > -1 || arch->cellHi() < 1)
      return emitError(loc)
             << "expected cells that hold -1, 0 and 1, but those of target '"
             << arch->name() << "' hold " << arch->cellLo() << ".."
             << arch->cellHi();
    if (limit > 1 && split == Split::Residual)
      return emitError(loc)
             << "split 'residual' needs ternary cells, but those "
                "of target '"
             << arch->name() << "' hold " << arch->cellLo() << ".."
             << arch->cellHi() << "; use another split";
    return limit;
  }

  LogicalResult splitMatrix(MatrixOp matrix, const CellsPerLayer &cells,
                            int64_t limit) {
    FailureOr<std::vector<int8_t>> weights =
        readElements<int8_t>(matrix.getLoc(), matrix.getWeights());
    if (failed(weights) || failed(checkLevels(matrix, *weights)))
      return failure();
    int64_t rows = matrix.getRows(), columns = matrix.getColumns();
    int64_t levels = matrix.getLevels();
    StringRef node = nodeName(matrix.getLoc());
    int64_t asked = cells.lookup(node.empty() ? matrix.getSymName() : node);
    Split resolved = resolveSplit(split, levels, asked, limit);
    Planes planes =
        resolved == Split::Residual
            ? splitResidual(*weights, columns, levels == 1 ? 1 : asked)
            : splitExactly(resolved, *weights, rows / matrix.getGroups(),
                           columns, levels, limit);
    Builder builder(&getContext());
    std::string name = matrix.getSymName().str();
    matrix.setSplit(resolved);
    matrix.setPlanesAttr(makeElements<int8_t>(
        RankedTensorType::get({planes.cells, rows, columns},
                              builder.getI8Type()),
        planes.digits, name + "_planes"));
    int64_t results = planes.significance.size() / columns;
    matrix.setSignificanceAttr(makeElements<float>(
        RankedTensorType::get({results, columns}, builder.getF32Type()),
        planes.significance, name + "_significance"));
    return success();
  }

  LogicalResult checkLevels(MatrixOp matrix, ArrayRef<int8_t> weights) {
    int64_t levels = matrix.getLevels();
    for (int64_t weight : weights)
      if (std::abs(weight) > levels)
        return matrix.emitOpError("expects weights from ")
               << -levels << " to " << levels << ", but got " << weight;
    return success();
  }
};

} // namespace
