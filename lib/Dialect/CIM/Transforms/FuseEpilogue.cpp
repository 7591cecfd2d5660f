// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-fuse-epilogue: what the digital part behind the ADC can do at once.
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/SinkTransposes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_FUSEEPILOGUEPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

/// The float mvm whose only use is the operand of `op`.
static MvmOp fusableMvm(Operation *op) {
  auto mvm = op->getOperand(0).getDefiningOp<MvmOp>();
  if (mvm && mvm->hasOneUse() && mvm.getType().getElementType().isF32())
    return mvm;
  return {};
}

/// Replaces `op` by its operand, an mvm that clamps its result to [lo, hi],
/// too.
static void fuseClamp(PatternRewriter &rewriter, Operation *op, MvmOp mvm,
                      float lo, float hi) {
  auto clamp = [&](const APFloat &value) {
    return APFloat(std::clamp(value.convertToFloat(), lo, hi));
  };
  rewriter.modifyOpInPlace(mvm, [&] {
    mvm.setLo(clamp(mvm.getLo()));
    mvm.setHi(clamp(mvm.getHi()));
  });
  rewriter.replaceOp(op, mvm);
}

/// What nn.quantize makes of `value` (docs/Numerics.md section 1).
static float quantize(float value, quant::UniformQuantizedType type,
                      nn::Rounding rounding) {
  float scaled = value * (1.0f / static_cast<float>(type.getScale()));
  float rounded = rounding == nn::Rounding::Floor ? std::floor(scaled)
                                                  : std::nearbyint(scaled);
  return std::clamp(rounded, static_cast<float>(type.getStorageTypeMin()),
                    static_cast<float>(type.getStorageTypeMax()));
}

namespace {

struct FuseRelu : public OpRewritePattern<nn::ReluOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(nn::ReluOp op,
                                PatternRewriter &rewriter) const override {
    MvmOp mvm = fusableMvm(op);
    if (!mvm)
      return failure();
    fuseClamp(rewriter, op, mvm, 0.0f, std::numeric_limits<float>::infinity());
    return success();
  }
};

struct FuseClamp : public OpRewritePattern<nn::ClampOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(nn::ClampOp op,
                                PatternRewriter &rewriter) const override {
    MvmOp mvm = fusableMvm(op);
    float lo = op.getLo().convertToFloat(), hi = op.getHi().convertToFloat();
    if (!mvm || !(lo <= hi))
      return failure();
    fuseClamp(rewriter, op, mvm, lo, hi);
    return success();
  }
};

struct FuseQuantize : public OpRewritePattern<nn::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(nn::QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    MvmOp mvm = fusableMvm(op);
    auto type =
        dyn_cast<quant::UniformQuantizedType>(op.getType().getElementType());
    if (!mvm || !type || type.getZeroPoint() != 0 ||
        type.getStorageTypeIntegralWidth() != 8)
      return failure();
    double scale = type.getScale();
    FailureOr<ElementsAttr> newScale = divide(mvm, mvm.getScale(), scale);
    FailureOr<ElementsAttr> newBias = divide(mvm, mvm.getBias(), scale);
    FailureOr<ElementsAttr> mean = divide(mvm, mvm.getMean(), scale);
    FailureOr<ElementsAttr> deviation = divide(mvm, mvm.getDeviation(), scale);
    if (failed(newScale) || failed(newBias) || failed(mean) ||
        failed(deviation))
      return failure();
    auto bound = [&](const APFloat &value) {
      return APFloat(quantize(value.convertToFloat(), type, op.getRounding()));
    };
    rewriter.replaceOpWithNewOp<MvmOp>(
        op, op.getType(), mvm.getMatrix(), mvm.getInput(), mvm.getKernel(),
        mvm.getStrides(), mvm.getDilations(), mvm.getPads(), *newScale,
        *newBias, bound(mvm.getLo()), bound(mvm.getHi()), op.getRounding(),
        *mean, *deviation);
    rewriter.eraseOp(mvm);
    return success();
  }

private:
  static FailureOr<ElementsAttr>
  divide(MvmOp mvm, std::optional<ElementsAttr> table, double divisor) {
    if (!table)
      return ElementsAttr();
    FailureOr<std::vector<double>> values =
        readElements<double>(mvm.getLoc(), *table);
    if (failed(values))
      return failure();
    for (double &value : *values)
      value /= divisor;
    auto type = cast<RankedTensorType>(cast<TypedAttr>(*table).getType());
    return makeElements<double>(type, *values, mvm.getMatrix());
  }
};

/// A monotone op behind a maximum moves in front of it, where an mvm can take
/// it.
template <typename OpTy>
struct HoistAboveMaxPool : public OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto pool = op->getOperand(0).template getDefiningOp<nn::MaxPoolOp>();
    if (!pool || !pool->hasOneUse() || !reachesMvm(pool.getInput()))
      return failure();
    auto resultType = cast<RankedTensorType>(op.getType());
    if (isa<quant::UniformQuantizedPerAxisType>(resultType.getElementType()))
      return failure();
    auto inputType = cast<RankedTensorType>(pool.getInput().getType());
    Operation *hoisted = rewriter.clone(*op);
    hoisted->setOperand(0, pool.getInput());
    hoisted->getResult(0).setType(inputType.clone(resultType.getElementType()));
    Operation *copy = rewriter.clone(*pool);
    copy->setOperand(0, hoisted->getResult(0));
    copy->getResult(0).setType(resultType);
    rewriter.replaceOp(op, copy);
    return success();
  }

private:
  /// Through ops that fuse or move away, all with one use.
  static bool reachesMvm(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (!op->hasOneUse() || !getElementTypeOrSelf(value).isF32())
        return false;
      if (isa<MvmOp>(op))
        return true;
      if (!isa<nn::TransposeOp, nn::ReshapeOp, nn::ReluOp, nn::ClampOp>(op))
        return false;
      value = op->getOperand(0);
    }
    return false;
  }
};

struct FuseEpiloguePass
    : public cim::impl::FuseEpiloguePassBase<FuseEpiloguePass> {
  using FuseEpiloguePassBase::FuseEpiloguePassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<FuseRelu, FuseClamp, FuseQuantize, HoistAboveMaxPool<nn::ReluOp>,
             HoistAboveMaxPool<nn::ClampOp>, HoistAboveMaxPool<nn::QuantizeOp>>(
            &getContext());
    nn::populateSinkBelowUnaryPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
