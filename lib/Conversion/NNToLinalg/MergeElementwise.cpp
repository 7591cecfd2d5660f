// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// linalg-merge-elementwise: few and long loops for element-wise operators.
#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace cim {
#define GEN_PASS_DEF_MERGEELEMENTWISEPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;

static bool isParallel(linalg::LinalgOp op) {
  return op.getNumParallelLoops() == op.getNumLoops();
}

/// The consumer must read every element once: a window of a pooling or a
/// broadcast would compute the producer again for each use.
static bool readsOnce(OpOperand *operand) {
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  return consumer && operand->get().hasOneUse() &&
         consumer.getMatchingIndexingMap(operand).isPermutation();
}

/// Fusion copies both bodies: without a bound, a chain of n operators would
/// take n * n steps. Beyond it, one more loop costs nothing that counts.
static bool staysShort(OpOperand *operand) {
  constexpr size_t longest = 64;
  auto length = [](Operation *op) {
    auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
    return generic ? generic.getBody()->getOperations().size() : 0;
  };
  return length(operand->getOwner()) + length(operand->get().getDefiningOp()) <=
         longest;
}

static bool isFusible(OpOperand *operand) {
  return readsOnce(operand) && staysShort(operand);
}

/// Maximal runs of two or more dimensions that every operand keeps together.
static SmallVector<ReassociationIndices> findRuns(linalg::LinalgOp op) {
  if (!isa<linalg::GenericOp>(op) || !isParallel(op))
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

static bool isReshape(Operation *op) {
  return isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
}

/// A value that nothing reads after its user, seen through reshapes, and that
/// an operator of @main made.
static bool isLastUse(Value value) {
  while (value.hasOneUse() && isReshape(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value.hasOneUse() &&
         isa_and_nonnull<DestinationStyleOpInterface>(value.getDefiningOp());
}

static bool isEmpty(Value value) {
  while (isReshape(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value.getDefiningOp<tensor::EmptyOp>() != nullptr;
}

/// Writes the result over an input of the same type that is not needed any
/// more: half the memory traffic.
static void reuseInput(linalg::GenericOp op, IRRewriter &rewriter) {
  if (!isParallel(op) || op.getNumDpsInits() != 1 ||
      !isEmpty(op.getDpsInitOperand(0)->get()))
    return;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input->get().getType() != op.getResult(0).getType() ||
        !op.getMatchingIndexingMap(input).isIdentity() ||
        !isLastUse(input->get()))
      continue;
    unsigned index = input->getOperandNumber();
    Value reused = input->get();
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    maps.erase(maps.begin() + index);
    Block *body = op.getBody();
    rewriter.replaceAllUsesWith(body->getArgument(index),
                                body->getArguments().back());
    rewriter.modifyOpInPlace(op, [&] {
      body->eraseArgument(index);
      op.getDpsInitsMutable()[0].set(reused);
      op.getInputsMutable().erase(index);
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    return;
  }
}

/// A transposition to few channels (RGB) has an innermost loop too short to
/// vectorise: makes the innermost loop that of its input.
static void lengthenInnermost(linalg::GenericOp op, IRRewriter &rewriter) {
  constexpr int64_t longEnough = 16;
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  if (!isParallel(op) || extents.empty() || extents.back() >= longEnough ||
      op.getNumDpsInputs() == 0)
    return;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  if (!map.isPermutation())
    return;
  unsigned innermost = map.getDimPosition(map.getNumResults() - 1);
  if (extents[innermost] <= extents.back())
    return;
  SmallVector<unsigned> order;
  for (unsigned dim = 0; dim < extents.size(); ++dim)
    if (dim != innermost)
      order.push_back(dim);
  order.push_back(innermost);
  rewriter.setInsertionPoint(op);
  (void)linalg::interchangeGenericOp(rewriter, op, order);
}

namespace {
struct MergeElementwise
    : cim::impl::MergeElementwisePassBase<MergeElementwise> {
  using MergeElementwisePassBase::MergeElementwisePassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet fusion(context);
    if (fuse)
      linalg::populateElementwiseOpsFusionPatterns(fusion, isFusible);
    linalg::GenericOp::getCanonicalizationPatterns(fusion, context);
    addReshapePatterns(fusion);
    // Afterwards, since a fused loop has fewer dimensions to merge.
    RewritePatternSet flattening(context);
    linalg::populateCollapseDimensions(flattening, findRuns);
    addReshapePatterns(flattening);
    if (failed(applyPatternsGreedily(getOperation(), std::move(fusion))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(flattening))))
      return signalPassFailure();
    IRRewriter rewriter(context);
    getOperation().walk([&](linalg::GenericOp op) {
      reuseInput(op, rewriter);
      lengthenInnermost(op, rewriter);
    });
  }

private:
  static void addReshapePatterns(RewritePatternSet &patterns) {
    MLIRContext *context = patterns.getContext();
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  }
};
} // namespace
