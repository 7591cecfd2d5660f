// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// linalg-flatten-elementwise: long innermost loops for element-wise operators.
#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace cim {
#define GEN_PASS_DEF_FLATTENELEMENTWISEPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;

/// Maximal runs of two or more dimensions that every operand keeps together.
static SmallVector<ReassociationIndices> findRuns(linalg::LinalgOp op) {
  if (!isa<linalg::GenericOp>(op) ||
      op.getNumParallelLoops() != op.getNumLoops())
    return {};
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!llvm::all_of(maps,
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return {};
  SmallVector<ReassociationIndices> runs;
  for (int64_t dim = 0; dim < op.getNumLoops();) {
    ReassociationIndices run{dim};
    for (++dim; dim < op.getNumLoops(); ++dim) {
      run.push_back(dim);
      if (linalg::areDimSequencesPreserved(maps, run))
        continue;
      run.pop_back();
      break;
    }
    if (run.size() > 1)
      runs.push_back(run);
  }
  return runs;
}

namespace {
struct FlattenElementwise
    : cim::impl::FlattenElementwisePassBase<FlattenElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateCollapseDimensions(patterns, findRuns);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns,
                                                         &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
