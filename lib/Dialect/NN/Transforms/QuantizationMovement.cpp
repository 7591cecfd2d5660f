// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Patterns that bring integers to the ops that compute with them.
#include "QuantTypes.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "mlir/IR/IRMapping.h"
#include <cmath>

using namespace mlir;

namespace cim::nn {

bool movesData(Operation *op) {
  if (auto pad = dyn_cast<PadOp>(op))
    return pad.getValue().isZero();
  return isa<MaxPoolOp, ReshapeOp, TransposeOp, SliceOp, BroadcastOp, GatherOp>(
      op);
}

/// The operands that `op` hands on; a gather has positions, too.
static OperandRange getMoved(Operation *op) {
  OperandRange operands = op->getOperands();
  return isa<GatherOp>(op) ? operands.take_front(1) : operands;
}

/// A slice or lookup in front of which there is more to compute than behind it.
static bool selects(Operation *op) {
  auto size = [](Value value) {
    return cast<ShapedType>(value.getType()).getNumElements();
  };
  return isa<SliceOp, GatherOp>(op) &&
         size(op->getResult(0)) < size(op->getOperand(0));
}

/// `op` on other operands, with `element` as the element type of its result.
static Value cloneWith(PatternRewriter &rewriter, Operation *op,
                       ValueRange operands, Type element) {
  IRMapping mapping;
  mapping.map(getMoved(op), operands);
  Operation *clone = rewriter.clone(*op, mapping);
  auto type = cast<ShapedType>(op->getResultTypes()[0]);
  clone->getResult(0).setType(type.clone(element));
  return clone->getResult(0);
}

static bool isPadSafe(Operation *op, quant::UniformQuantizedType type) {
  return !isa<PadOp>(op) || type.getZeroPoint() == 0;
}

namespace {

struct SinkDequantize : RewritePattern {
  SinkDequantize(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!movesData(op) && !isa<ConcatOp>(op))
      return failure();
    SmallVector<Value> integers;
    for (Value operand : getMoved(op)) {
      auto dequantize = operand.getDefiningOp<DequantizeOp>();
      if (!dequantize)
        return failure();
      integers.push_back(dequantize.getInput());
    }
    if (integers.empty())
      return failure();
    quant::UniformQuantizedType type = getUniformType(integers.front());
    if (!type || !isPadSafe(op, type) || llvm::any_of(integers, [&](Value v) {
          return getUniformType(v) != type;
        }))
      return failure();
    Value moved = cloneWith(rewriter, op, integers, type);
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, op->getResultTypes()[0],
                                              moved);
    return success();
  }
};

struct RaiseQuantize : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    quant::UniformQuantizedType type = getUniformType(op.getResult());
    Operation *mover = op.getInput().getDefiningOp();
    if (!type || !mover || !mover->hasOneUse() || selects(mover) ||
        !(movesData(mover) || isa<ConcatOp>(mover)) || !isPadSafe(mover, type))
      return failure();
    SmallVector<Value> integers;
    for (Value operand : getMoved(mover)) {
      auto shaped = cast<ShapedType>(operand.getType());
      integers.push_back(QuantizeOp::create(rewriter, op.getLoc(),
                                            shaped.clone(type), operand,
                                            op.getRounding()));
    }
    rewriter.replaceOp(op, cloneWith(rewriter, mover, integers, type));
    rewriter.eraseOp(mover);
    return success();
  }
};

/// docs/Numerics.md section 1, in binary32.
int64_t quantizeValue(float x, quant::UniformQuantizedType type,
                      Rounding rounding) {
  float scaled = x * static_cast<float>(1.0 / type.getScale());
  float rounded =
      rounding == Rounding::Floor ? std::floor(scaled) : std::nearbyint(scaled);
  return std::clamp<int64_t>(
      static_cast<int64_t>(rounded) + type.getZeroPoint(),
      type.getStorageTypeMin(), type.getStorageTypeMax());
}

struct DropIdentityQuantize : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto dequantize = op.getInput().getDefiningOp<DequantizeOp>();
    quant::UniformQuantizedType type = getUniformType(op.getResult());
    if (!dequantize || !type || dequantize.getInput().getType() != op.getType())
      return failure();
    float scale = static_cast<float>(type.getScale());
    for (int64_t q = type.getStorageTypeMin(); q <= type.getStorageTypeMax();
         ++q)
      if (quantizeValue(scale * static_cast<float>(q - type.getZeroPoint()),
                        type, op.getRounding()) != q)
        return rewriter.notifyMatchFailure(op, "changes an integer");
    rewriter.replaceOp(op, dequantize.getInput());
    return success();
  }
};

struct ReadIntegers : OpInterfaceRewritePattern<CrossbarOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(CrossbarOpInterface op,
                                PatternRewriter &rewriter) const override {
    Value input = op.getCrossbarInput();
    auto dequantize = input.getDefiningOp<DequantizeOp>();
    Value weights = op.getCrossbarWeights();
    if (!dequantize || !getUniformType(dequantize.getInput()) ||
        !weights.getDefiningOp<ConstantOp>() ||
        cast<ShapedType>(weights.getType()).getElementType().isF32())
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      for (OpOperand &operand : op->getOpOperands())
        if (operand.get() == input)
          operand.set(dequantize.getInput());
    });
    return success();
  }
};

} // namespace

void populateQuantizationMovement(RewritePatternSet &patterns) {
  patterns
      .add<SinkDequantize, RaiseQuantize, DropIdentityQuantize, ReadIntegers>(
          patterns.getContext());
}

} // namespace cim::nn
