// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposes and the reshapes that split and join dimensions: what resizing and
// transposed convolutions are made of.
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/SinkTransposes.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace cim::nn;

using Dims = SmallVector<int64_t>;

/// The groups of dimensions of the longer shape that the shorter one joins, in
/// the order of the shorter one's; nothing when neither is made of the other.
static std::optional<SmallVector<ReassociationIndices>> groupsOf(ReshapeOp op) {
  auto from = cast<ShapedType>(op.getInput().getType()),
       to = cast<ShapedType>(op.getType());
  if (from.getRank() == to.getRank() ||
      std::min(from.getRank(), to.getRank()) == 0)
    return std::nullopt;
  return getReassociationIndicesForReshape(from, to);
}

/// The permutation of all dimensions that moves whole groups.
static Dims permuteGroups(ArrayRef<ReassociationIndices> groups,
                          ArrayRef<int64_t> permutation) {
  Dims result;
  for (int64_t group : permutation)
    llvm::append_range(result, groups[group]);
  return result;
}

static Value reshape(PatternRewriter &rewriter, Location loc, Value value,
                     ArrayRef<int64_t> shape) {
  auto type = cast<ShapedType>(value.getType()).clone(shape);
  return ReshapeOp::create(rewriter, loc, type, value);
}

namespace {

struct SinkBelowReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    auto groups = groupsOf(op);
    if (!transpose || !groups)
      return failure();
    ArrayRef<int64_t> permutation = transpose.getPermutation(),
                      to = shapeOf(op);
    bool splits = to.size() > permutation.size();
    // From the dimensions of the operand, split or joined, to the result's.
    std::optional<Dims> order = splits ? splitOrder(*groups, permutation)
                                       : joinedOrder(*groups, permutation);
    if (!order)
      return rewriter.notifyMatchFailure(op, "joins what the transpose parts");
    Value moved =
        reshape(rewriter, op.getLoc(), transpose.getInput(),
                applyPermutation(to, invertPermutationVector(*order)));
    rewriter.replaceOpWithNewOp<TransposeOp>(op, moved, *order);
    return success();
  }

private:
  /// Group i of the result comes from dimension permutation[i].
  static Dims splitOrder(ArrayRef<ReassociationIndices> groups,
                         ArrayRef<int64_t> permutation) {
    Dims first(permutation.size(), 0), order;
    Dims position = invertPermutationVector(permutation);
    int64_t next = 0;
    for (int64_t dim = 0, rank = permutation.size(); dim < rank; ++dim) {
      first[dim] = next;
      next += groups[position[dim]].size();
    }
    for (auto [group, dim] : llvm::zip_equal(groups, permutation))
      for (size_t i = 0; i < group.size(); ++i)
        order.push_back(first[dim] + i);
    return order;
  }

  /// Groups must be neighbours in the operand, too.
  static std::optional<Dims> joinedOrder(ArrayRef<ReassociationIndices> groups,
                                         ArrayRef<int64_t> permutation) {
    Dims starts;
    for (const ReassociationIndices &group : groups) {
      for (size_t i = 1; i < group.size(); ++i)
        if (permutation[group[i]] != permutation[group[i - 1]] + 1)
          return std::nullopt;
      starts.push_back(permutation[group.front()]);
    }
    Dims order;
    for (int64_t start : starts)
      order.push_back(llvm::count_if(
          starts, [start](int64_t other) { return other < start; }));
    return order;
  }
};

struct SinkBelowRepeat : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<TransposeOp>();
    auto type = cast<RankedTensorType>(op.getType());
    if (!transpose || transpose.getType().getRank() != type.getRank())
      return failure();
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    auto moved = BroadcastOp::create(
        rewriter, op.getLoc(),
        type.clone(applyPermutation(type.getShape(),
                                    invertPermutationVector(permutation))),
        transpose.getInput());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, moved, permutation);
    return success();
  }
};

/// A transpose of dimensions joined from transposed ones, maybe cut, becomes
/// one with the transpose in front.
struct RaiseAboveJoin : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    Value value = op.getInput();
    auto slice = value.getDefiningOp<SliceOp>();
    if (slice && value.hasOneUse())
      value = slice.getInput();
    auto joined = value.getDefiningOp<ReshapeOp>();
    if (!joined || !value.hasOneUse() ||
        !joined.getInput().getDefiningOp<TransposeOp>())
      return failure();
    auto groups = groupsOf(joined);
    ArrayRef<int64_t> permutation = op.getPermutation(),
                      shape = shapeOf(joined);
    if (!groups || groups->size() != shape.size())
      return failure();
    Value moved = TransposeOp::create(rewriter, op.getLoc(), joined.getInput(),
                                      permuteGroups(*groups, permutation));
    moved = reshape(rewriter, op.getLoc(), moved,
                    applyPermutation(shape, permutation));
    if (slice)
      moved = SliceOp::create(rewriter, op.getLoc(), moved,
                              applyPermutation(slice.getStarts(), permutation),
                              applyPermutation(slice.getSizes(), permutation),
                              applyPermutation(slice.getSteps(), permutation));
    rewriter.replaceOp(op, moved);
    return success();
  }
};

} // namespace

void cim::nn::populateSinkThroughReshapesPatterns(RewritePatternSet &patterns) {
  patterns.add<SinkBelowReshape, SinkBelowRepeat>(patterns.getContext());
}

void cim::nn::populateRaiseAboveJoinPatterns(RewritePatternSet &patterns) {
  patterns.add<RaiseAboveJoin>(patterns.getContext());
}
