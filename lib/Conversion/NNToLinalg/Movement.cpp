// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants, and operators that only move elements.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir;
using namespace cim;

namespace {

struct LowerConstant : OpConversionPattern<nn::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    ElementsAttr value = op.getValue();
    if (auto dense = dyn_cast<DenseElementsAttr>(value))
      value =
          dense.getElementType().isInteger(1)
              ? dense
              : DenseElementsAttr::getFromRawBuffer(type, dense.getRawData());
    else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
      value = DenseResourceElementsAttr::get(type, resource.getRawHandle());
    else
      return failure();
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, type,
                                                   cast<TypedAttr>(value));
    return success();
  }
};

struct LowerReshape : OpConversionPattern<nn::ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ReshapeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op,
                       createReshape(rewriter, op.getLoc(), adaptor.getInput(),
                                     typeOf(op.getResult()).getShape()));
    return success();
  }
};

struct LowerTranspose : OpConversionPattern<nn::TransposeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::TransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, createTranspose(rewriter, op.getLoc(),
                                           adaptor.getInput(),
                                           op.getPermutation()));
    return success();
  }
};

struct LowerConcat : OpConversionPattern<nn::ConcatOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ConcatOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    Value result = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                           type.getElementType());
    SmallVector<int64_t> offsets(type.getRank(), 0);
    SmallVector<int64_t> strides(type.getRank(), 1);
    MLIRContext *context = rewriter.getContext();
    for (Value input : adaptor.getInputs()) {
      ArrayRef<int64_t> sizes = typeOf(input).getShape();
      result = tensor::InsertSliceOp::create(
          rewriter, loc, input, result,
          getAsIndexOpFoldResult(context, offsets),
          getAsIndexOpFoldResult(context, sizes),
          getAsIndexOpFoldResult(context, strides));
      offsets[op.getAxis()] += sizes[op.getAxis()];
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerPad : OpConversionPattern<nn::PadOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::PadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    size_t rank = typeOf(op.getInput()).getRank();
    FailureOr<TypedAttr> value = padValue(op, adaptor, rewriter);
    if (failed(value))
      return failure();
    rewriter.replaceOp(op,
                       createPadded(rewriter, op.getLoc(), adaptor.getInput(),
                                    op.getPads().take_front(rank),
                                    op.getPads().drop_front(rank), *value));
    return success();
  }

private:
  static FailureOr<TypedAttr> padValue(nn::PadOp op, OpAdaptor adaptor,
                                       OpBuilder &builder) {
    Type element = typeOf(op.getInput()).getElementType();
    if (!isa<quant::QuantizedType>(element))
      return TypedAttr(op.getValueAttr());
    auto quantization = Quantization::get(element);
    if (failed(quantization) || quantization->axis)
      return failure();
    double real =
        op.getValue().convertToDouble() / quantization->scales.front();
    double integer =
        std::nearbyint(real) + double(quantization->zeroPoints.front());
    integer = std::clamp(integer, double(quantization->storageMin),
                         double(quantization->storageMax));
    return TypedAttr(getStorageAttr(typeOf(adaptor.getInput()).getElementType(),
                                    int64_t(integer)));
  }
};

struct LowerSlice : OpConversionPattern<nn::SliceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::SliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<int64_t> offsets, strides, reversed;
    for (auto [dim, start, size, step] :
         llvm::enumerate(op.getStarts(), op.getSizes(), op.getSteps())) {
      offsets.push_back(step < 0 ? start + (size - 1) * step : start);
      strides.push_back(std::abs(step));
      if (step < 0 && size > 1)
        reversed.push_back(dim);
    }
    MLIRContext *context = rewriter.getContext();
    Value slice = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), adaptor.getInput(),
        getAsIndexOpFoldResult(context, offsets),
        getAsIndexOpFoldResult(context, op.getSizes()),
        getAsIndexOpFoldResult(context, strides));
    if (!reversed.empty())
      slice = reverse(rewriter, op.getLoc(), slice, reversed);
    rewriter.replaceOp(op, slice);
    return success();
  }

private:
  static Value reverse(OpBuilder &builder, Location loc, Value input,
                       ArrayRef<int64_t> dims) {
    RankedTensorType type = typeOf(input);
    return tensor::GenerateOp::create(
        builder, loc, type, ValueRange{},
        [&](OpBuilder &nested, Location at, ValueRange position) {
          SmallVector<Value> source(position);
          for (int64_t dim : dims) {
            Value last = arith::ConstantIndexOp::create(
                nested, at, type.getDimSize(dim) - 1);
            source[dim] =
                arith::SubIOp::create(nested, at, last, position[dim]);
          }
          Value element = tensor::ExtractOp::create(nested, at, input, source);
          tensor::YieldOp::create(nested, at, element);
        });
  }
};

} // namespace

void cim::populateMovementPatterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerConstant, LowerReshape, LowerTranspose, LowerConcat,
               LowerPad, LowerSlice>(converter, patterns.getContext());
}
