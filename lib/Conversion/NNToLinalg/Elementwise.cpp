// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn's element-wise float operators to loops that fuse.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace cim;

namespace {

template <typename Op, typename ScalarOp>
struct LowerBinary : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, op.getLoc(), adaptor.getOperands(),
                cast<RankedTensorType>(op.getType()),
                [](OpBuilder &builder, Location loc, ValueRange args) -> Value {
                  return ScalarOp::create(builder, loc, args[0], args[1]);
                }));
    return success();
  }
};

/// Unary operators differ in `lower(op, builder, loc, x)`.
template <typename Op, typename Derived>
struct LowerUnary : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, op.getLoc(), adaptor.getOperands(),
                cast<RankedTensorType>(op.getType()),
                [&](OpBuilder &builder, Location loc, ValueRange args) {
                  return Derived::lower(op, builder, loc, args[0]);
                }));
    return success();
  }
};

struct LowerRelu : LowerUnary<nn::ReluOp, LowerRelu> {
  using LowerUnary::LowerUnary;
  static Value lower(nn::ReluOp, OpBuilder &builder, Location loc, Value x) {
    return createMax(builder, loc, createF32(builder, loc, 0), x);
  }
};

struct LowerFloor : LowerUnary<nn::FloorOp, LowerFloor> {
  using LowerUnary::LowerUnary;
  static Value lower(nn::FloorOp, OpBuilder &builder, Location loc, Value x) {
    return math::FloorOp::create(builder, loc, x);
  }
};

struct LowerRound : LowerUnary<nn::RoundOp, LowerRound> {
  using LowerUnary::LowerUnary;
  static Value lower(nn::RoundOp, OpBuilder &builder, Location loc, Value x) {
    return math::RoundEvenOp::create(builder, loc, x);
  }
};

struct LowerClamp : LowerUnary<nn::ClampOp, LowerClamp> {
  using LowerUnary::LowerUnary;
  static Value lower(nn::ClampOp op, OpBuilder &builder, Location loc,
                     Value x) {
    Value lo = arith::ConstantOp::create(builder, loc, op.getLoAttr());
    Value hi = arith::ConstantOp::create(builder, loc, op.getHiAttr());
    return createMin(builder, loc, hi, createMax(builder, loc, lo, x));
  }
};

struct LowerBatchNorm : OpConversionPattern<nn::BatchNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(nn::BatchNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    // Statistics lie along dimension 1.
    SmallVector<Value> operands{adaptor.getInput()};
    for (Value statistic : adaptor.getOperands().drop_front()) {
      SmallVector<int64_t> shape(type.getRank() - 1, 1);
      shape[0] = type.getDimSize(1);
      operands.push_back(
          createReshape(rewriter, op.getLoc(), statistic, shape));
    }
    rewriter.replaceOp(
        op,
        createElementwise(
            rewriter, op.getLoc(), operands, type,
            [&](OpBuilder &builder, Location loc, ValueRange args) -> Value {
              Value epsilon =
                  arith::ConstantOp::create(builder, loc, op.getEpsilonAttr());
              Value variance =
                  arith::AddFOp::create(builder, loc, args[4], epsilon);
              Value deviation = math::SqrtOp::create(builder, loc, variance);
              Value centred =
                  arith::SubFOp::create(builder, loc, args[0], args[3]);
              Value normal =
                  arith::DivFOp::create(builder, loc, centred, deviation);
              Value scaled =
                  arith::MulFOp::create(builder, loc, normal, args[1]);
              return arith::AddFOp::create(builder, loc, scaled, args[2]);
            }));
    return success();
  }
};

} // namespace

void cim::populateElementwisePatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  patterns.add<LowerBinary<nn::AddOp, arith::AddFOp>,
               LowerBinary<nn::SubOp, arith::SubFOp>,
               LowerBinary<nn::MulOp, arith::MulFOp>,
               LowerBinary<nn::DivOp, arith::DivFOp>, LowerRelu, LowerFloor,
               LowerRound, LowerClamp, LowerBatchNorm>(converter,
                                                       patterns.getContext());
}
