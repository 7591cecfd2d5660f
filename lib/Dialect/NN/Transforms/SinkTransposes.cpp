// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-sink-transposes: layouts change where they must, not where they can.
#include "cim/Dialect/NN/Transforms/SinkTransposes.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace cim::nn {
#define GEN_PASS_DEF_SINKTRANSPOSESPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim::nn;

using Permutation = SmallVector<int64_t>;

/// NHWC to NCHW with any number of spatial dimensions but one (whose inverse
/// is itself, so that the direction cannot be told).
static bool isFromChannelsLast(ArrayRef<int64_t> permutation) {
  int64_t rank = permutation.size();
  if (rank < 4 || permutation[0] != 0 || permutation[1] != rank - 1)
    return false;
  return llvm::equal(permutation.drop_front(2),
                     llvm::seq<int64_t>(1, rank - 1));
}

/// True when a transpose keeps elements where they are in memory.
static bool movesOnlyUnitDims(TransposeOp op) {
  int64_t last = -1;
  for (int64_t dim : op.getPermutation()) {
    if (op.getInput().getType().getDimSize(dim) == 1)
      continue;
    if (dim < last)
      return false;
    last = dim;
  }
  return true;
}

/// Replaces `op` by `moved`, computed on the input of a transpose, and that
/// transpose.
static void replaceSunk(PatternRewriter &rewriter, Operation *op,
                        Operation *moved, ArrayRef<int64_t> permutation) {
  rewriter.replaceOpWithNewOp<TransposeOp>(op, moved->getResult(0),
                                           permutation);
}

/// A copy of `op` on other operands with a result of another shape.
static Operation *cloneWith(PatternRewriter &rewriter, Operation *op,
                            ValueRange operands, ArrayRef<int64_t> shape) {
  Operation *copy = rewriter.clone(*op);
  copy->setOperands(operands);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  copy->getResult(0).setType(type.clone(shape));
  return copy;
}

namespace {

/// True when an op in front of a slice would compute more than twice as much as
/// behind it.
bool cutsMuch(Operation *op) {
  auto slice = dyn_cast<SliceOp>(op);
  return slice && (!slice->hasOneUse() ||
                   2 * slice.getType().getNumElements() <
                       slice.getInput().getType().getNumElements());
}

/// Element-wise ops of one operand do not see the layout.
struct SinkBelowUnary : public RewritePattern {
  SinkBelowUnary(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumOperands() != 1 ||
        !(op->hasTrait<Elementwise>() || isa<QuantizeOp, DequantizeOp>(op)))
      return failure();
    Operation *producer = op->getOperand(0).getDefiningOp();
    if (!isa_and_present<TransposeOp, ReshapeOp, SliceOp>(producer) ||
        cutsMuch(producer))
      return failure();
    auto result = cast<RankedTensorType>(op->getResult(0).getType());
    auto operand = cast<RankedTensorType>(op->getOperand(0).getType());
    for (RankedTensorType type : {result, operand})
      if (isa<quant::UniformQuantizedPerAxisType>(type.getElementType()))
        return rewriter.notifyMatchFailure(op, "scales follow an axis");
    Value source = producer->getOperand(0);
    Operation *moved = cloneWith(rewriter, op, source, shapeOf(source));
    Operation *movement = rewriter.clone(*producer);
    movement->setOperand(0, moved->getResult(0));
    movement->getResult(0).setType(result);
    rewriter.replaceOp(op, movement);
    return success();
  }
};

/// Base of patterns on ops with a transposed operand.
template <typename OpTy> struct SinkBelow : public OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op->getOperand(0).template getDefiningOp<TransposeOp>();
    if (!transpose)
      return failure();
    rewrite(op, transpose.getInput(), Permutation(transpose.getPermutation()),
            rewriter);
    return success();
  }

  virtual void rewrite(OpTy op, Value source, ArrayRef<int64_t> permutation,
                       PatternRewriter &rewriter) const = 0;
};

struct SinkBelowPad : public SinkBelow<PadOp> {
  using SinkBelow::SinkBelow;
  void rewrite(PadOp op, Value source, ArrayRef<int64_t> permutation,
               PatternRewriter &rewriter) const override {
    size_t rank = permutation.size();
    SmallVector<int64_t> pads(2 * rank);
    for (auto [i, dim] : llvm::enumerate(permutation)) {
      pads[dim] = op.getPads()[i];
      pads[rank + dim] = op.getPads()[rank + i];
    }
    auto moved =
        PadOp::create(rewriter, op.getLoc(), source, pads, op.getValue());
    replaceSunk(rewriter, op, moved, permutation);
  }
};

struct SinkBelowSlice : public SinkBelow<SliceOp> {
  using SinkBelow::SinkBelow;
  void rewrite(SliceOp op, Value source, ArrayRef<int64_t> permutation,
               PatternRewriter &rewriter) const override {
    Permutation back = invertPermutationVector(permutation);
    auto moved = SliceOp::create(rewriter, op.getLoc(), source,
                                 applyPermutation(op.getStarts(), back),
                                 applyPermutation(op.getSizes(), back),
                                 applyPermutation(op.getSteps(), back));
    replaceSunk(rewriter, op, moved, permutation);
  }
};

/// Only for lists of indices: others change the number of dimensions.
struct SinkBelowGather : public OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatherOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getData().getDefiningOp<TransposeOp>();
    if (!transpose || op.getIndices().getType().getRank() != 1)
      return failure();
    auto moved = GatherOp::create(rewriter, op.getLoc(), transpose.getInput(),
                                  op.getIndices(),
                                  transpose.getPermutation()[op.getAxis()]);
    replaceSunk(rewriter, op, moved, transpose.getPermutation());
    return success();
  }
};

struct SinkBelowSoftmax : public SinkBelow<SoftmaxOp> {
  using SinkBelow::SinkBelow;
  void rewrite(SoftmaxOp op, Value source, ArrayRef<int64_t> permutation,
               PatternRewriter &rewriter) const override {
    auto moved = SoftmaxOp::create(rewriter, op.getLoc(), source.getType(),
                                   source, permutation[op.getAxis()]);
    replaceSunk(rewriter, op, moved, permutation);
  }
};

struct SinkBelowReduce : public SinkBelow<ReduceOp> {
  using SinkBelow::SinkBelow;
  void rewrite(ReduceOp op, Value source, ArrayRef<int64_t> permutation,
               PatternRewriter &rewriter) const override {
    SmallVector<int64_t> axes;
    for (int64_t axis : op.getAxes())
      axes.push_back(permutation[axis]);
    llvm::sort(axes);
    auto moved = ReduceOp::create(rewriter, op.getLoc(), source, op.getKind(),
                                  axes, op.getKeepDims());
    if (op.getKeepDims())
      return replaceSunk(rewriter, op, moved, permutation);
    // The order of the dimensions that are left, counted among themselves.
    SmallVector<int64_t> left;
    for (auto [i, dim] : llvm::enumerate(permutation))
      if (!llvm::is_contained(op.getAxes(), int64_t(i)))
        left.push_back(dim);
    SmallVector<int64_t> rest;
    for (int64_t dim : left)
      rest.push_back(llvm::count_if(
          left, [dim = dim](int64_t other) { return other < dim; }));
    replaceSunk(rewriter, op, moved, rest);
  }
};

/// How operands of ops with several are brought into one layout.
struct Alignment {
  Permutation permutation;

  /// Finds the layout that one operand of rank `rank` and all the elements of
  /// the result was transposed from.
  static FailureOr<Alignment> find(Operation *op) {
    auto result = cast<RankedTensorType>(op->getResult(0).getType());
    for (Value operand : op->getOperands()) {
      auto transpose = operand.getDefiningOp<TransposeOp>();
      if (transpose && transpose.getType().getRank() == result.getRank() &&
          (isa<ConcatOp>(op) ||
           transpose.getType().getShape() == result.getShape()))
        return Alignment{Permutation(transpose.getPermutation())};
    }
    return failure();
  }

  /// True when `operand` can be had in the layout of the source, and doing so
  /// does not merely move a transpose from one operand to another.
  bool accepts(Value operand, ArrayRef<int64_t> result) const {
    if (auto transpose = operand.getDefiningOp<TransposeOp>())
      if (transpose.getPermutation() == ArrayRef<int64_t>(permutation))
        return true;
    if (operand.getDefiningOp<ConstantOp>())
      return true;
    return isFromChannelsLast(permutation) || shapeOf(operand) != result;
  }

  /// `operand` in the layout of the source.
  Value undo(PatternRewriter &rewriter, Location loc, Value operand) const {
    if (auto transpose = operand.getDefiningOp<TransposeOp>())
      if (transpose.getPermutation() == ArrayRef<int64_t>(permutation))
        return transpose.getInput();
    // Broadcasting adds dimensions in front.
    SmallVector<int64_t> shape(permutation.size() - shapeOf(operand).size(), 1);
    llvm::append_range(shape, shapeOf(operand));
    Permutation back = invertPermutationVector(permutation);
    if (operand.getDefiningOp<ConstantOp>())
      if (FailureOr<std::vector<float>> values = readFloats(operand);
          succeeded(values))
        return transposeConstant(rewriter, loc, *values, shape, back);
    if (ArrayRef<int64_t>(shape) != shapeOf(operand))
      operand = ReshapeOp::create(
          rewriter, loc, cast<RankedTensorType>(operand.getType()).clone(shape),
          operand);
    return TransposeOp::create(rewriter, loc, operand, back);
  }

  static Value transposeConstant(PatternRewriter &rewriter, Location loc,
                                 ArrayRef<float> values,
                                 ArrayRef<int64_t> shape,
                                 ArrayRef<int64_t> permutation) {
    SmallVector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size() - 1; i > 0; --i)
      strides[i - 1] = strides[i] * shape[i];
    Permutation newShape = applyPermutation(shape, permutation);
    Permutation newStrides = applyPermutation(strides, permutation);
    std::vector<float> moved(values.size());
    SmallVector<int64_t> index(shape.size(), 0);
    for (float &value : moved) {
      int64_t from = 0;
      for (auto [i, stride] : llvm::zip(index, newStrides))
        from += i * stride;
      value = values[from];
      for (int64_t dim = shape.size() - 1;
           dim >= 0 && ++index[dim] == newShape[dim]; --dim)
        index[dim] = 0;
    }
    return createFloats(rewriter, loc, newShape, moved, "transposed");
  }
};

/// The elements of the operands meet in any layout, if it is the same one.
struct SinkBelowBroadcast : public RewritePattern {
  SinkBelowBroadcast(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumOperands() < 2 || !op->hasTrait<Elementwise>())
      return failure();
    FailureOr<Alignment> alignment = Alignment::find(op);
    if (failed(alignment))
      return failure();
    auto shape = shapeOf(op->getResult(0));
    for (Value operand : op->getOperands())
      if (!alignment->accepts(operand, shape))
        return rewriter.notifyMatchFailure(op, "would only move a transpose");
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(alignment->undo(rewriter, op->getLoc(), operand));
    Operation *moved =
        cloneWith(rewriter, op, operands,
                  applyPermutation(
                      shape, invertPermutationVector(alignment->permutation)));
    replaceSunk(rewriter, op, moved, alignment->permutation);
    return success();
  }
};

struct SinkBelowConcat : public OpRewritePattern<ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConcatOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<Alignment> alignment = Alignment::find(op);
    if (failed(alignment))
      return failure();
    for (Value operand : op.getInputs())
      if (!alignment->accepts(operand, shapeOf(operand)))
        return rewriter.notifyMatchFailure(op, "would only move a transpose");
    SmallVector<Value> operands;
    for (Value operand : op.getInputs())
      operands.push_back(alignment->undo(rewriter, op.getLoc(), operand));
    auto moved = ConcatOp::create(rewriter, op.getLoc(), operands,
                                  alignment->permutation[op.getAxis()]);
    replaceSunk(rewriter, op, moved, alignment->permutation);
    return success();
  }
};

/// A reshape reads memory in order, which a transpose of unit extents keeps.
struct TransposeToReshape : public OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    if (!movesOnlyUnitDims(op))
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getInput());
    return success();
  }
};

struct SinkTransposesPass
    : public cim::nn::impl::SinkTransposesPassBase<SinkTransposesPass> {
  using SinkTransposesPassBase::SinkTransposesPassBase;

  void runOnOperation() override {
    RewritePatternSet sink(&getContext()), finish(&getContext());
    populateSinkTransposesPatterns(sink);
    // Only now: as a reshape a transpose would not sink below binary ops.
    finish.add<TransposeToReshape>(&getContext());
    populateRaiseAboveJoinPatterns(finish);
    populateSinkBelowUnaryPatterns(finish);
    if (failed(applyPatternsGreedily(getOperation(), std::move(sink))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(finish))))
      return signalPassFailure();
    // Two readers of one map each had a transpose of their own.
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(getOperation());
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
  }
};

} // namespace

void cim::nn::populateSinkBelowUnaryPatterns(RewritePatternSet &patterns) {
  patterns.add<SinkBelowUnary>(patterns.getContext());
}

void cim::nn::populateSinkTransposesPatterns(RewritePatternSet &patterns) {
  populateSinkBelowUnaryPatterns(patterns);
  populateSinkThroughReshapesPatterns(patterns);
  patterns.add<SinkBelowPad, SinkBelowSlice, SinkBelowGather, SinkBelowSoftmax,
               SinkBelowReduce, SinkBelowBroadcast, SinkBelowConcat>(
      patterns.getContext());
}
