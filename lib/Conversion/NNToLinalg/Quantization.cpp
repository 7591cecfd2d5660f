// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn.quantize and nn.dequantize, as docs/Numerics.md section 1 says, and casts
// between a quantised tensor and its storage.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

using namespace mlir;
using namespace cim;

static SmallVector<float> zeroPointFloats(const Quantization &quantization) {
  return llvm::map_to_vector(quantization.zeroPoints,
                             [](int64_t zero) { return float(zero); });
}

namespace {

struct LowerQuantize : OpConversionPattern<nn::QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto quantization =
        Quantization::get(typeOf(op.getResult()).getElementType());
    if (failed(quantization))
      return failure();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    Location loc = op.getLoc();
    SmallVector<float> reciprocals;
    for (double scale : quantization->scales)
      reciprocals.push_back(float(1.0 / scale));
    SmallVector<Value> operands{adaptor.getInput(),
                                createPerChannel(rewriter, loc, reciprocals,
                                                 quantization->axis,
                                                 type.getRank())};
    if (quantization->hasZeroPoint())
      operands.push_back(createPerChannel(rewriter, loc,
                                          zeroPointFloats(*quantization),
                                          quantization->axis, type.getRank()));
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, loc, operands, type,
                [&](OpBuilder &builder, Location at, ValueRange args) {
                  return quantize(builder, at, args, op, type.getElementType(),
                                  *quantization);
                }));
    return success();
  }

private:
  static Value quantize(OpBuilder &builder, Location loc, ValueRange args,
                        nn::QuantizeOp op, Type storage,
                        const Quantization &quantization) {
    Value x = arith::MulFOp::create(builder, loc, args[0], args[1]);
    if (op.getRounding() == nn::Rounding::Floor)
      x = math::FloorOp::create(builder, loc, x);
    else
      x = math::RoundEvenOp::create(builder, loc, x);
    Value isNumber =
        arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ORD, x, x);
    x = arith::SelectOp::create(builder, loc, isNumber, x,
                                createF32(builder, loc, 0));
    if (args.size() == 3)
      x = arith::AddFOp::create(builder, loc, x, args[2]);
    // Clamped before the conversion, which is undefined outside of i32.
    x = createMax(builder, loc,
                  createF32(builder, loc, double(quantization.storageMin)), x);
    x = createMin(builder, loc,
                  createF32(builder, loc, double(quantization.storageMax)), x);
    Type i32 = builder.getI32Type();
    x = arith::FPToSIOp::create(builder, loc, i32, x);
    if (storage == i32)
      return x;
    return arith::TruncIOp::create(builder, loc, storage, x);
  }
};

struct LowerDequantize : OpConversionPattern<nn::DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::DequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto quantization =
        Quantization::get(typeOf(op.getInput()).getElementType());
    if (failed(quantization))
      return failure();
    auto type = cast<RankedTensorType>(op.getType());
    Location loc = op.getLoc();
    SmallVector<float> scales;
    for (double scale : quantization->scales)
      scales.push_back(float(scale));
    SmallVector<Value> operands{adaptor.getInput(),
                                createPerChannel(rewriter, loc, scales,
                                                 quantization->axis,
                                                 type.getRank())};
    if (quantization->hasZeroPoint())
      operands.push_back(createPerChannel(rewriter, loc,
                                          zeroPointFloats(*quantization),
                                          quantization->axis, type.getRank()));
    bool isSigned = quantization->isSigned;
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, loc, operands, type,
                [&](OpBuilder &builder, Location at, ValueRange args) -> Value {
                  Value x = createExtend(builder, at, args[0],
                                         builder.getI32Type(), isSigned);
                  x = arith::SIToFPOp::create(builder, at, builder.getF32Type(),
                                              x);
                  if (args.size() == 3)
                    x = arith::SubFOp::create(builder, at, x, args[2]);
                  return arith::MulFOp::create(builder, at, x, args[1]);
                }));
    return success();
  }
};

/// quant.scast between a quantised tensor and its storage: the same integers.
struct LowerStorageCast : OpConversionPattern<quant::StorageCastOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(quant::StorageCastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getInput());
    return success();
  }
};

} // namespace

void cim::populateQuantizationPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<LowerQuantize, LowerDequantize, LowerStorageCast>(
      converter, patterns.getContext());
}
