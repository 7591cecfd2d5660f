// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling as reductions whose innermost loop runs over the last dimension of
// the result, so that LLVM vectorises it.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace cim;

namespace {
/// The geometry that both pooling operators have.
struct Window {
  ArrayRef<int64_t> kernel, strides, dilations, pads;

  template <typename Op>
  explicit Window(Op op)
      : kernel(op.getKernel()), strides(op.getStrides()),
        dilations(op.getDilations()), pads(op.getPads()) {}
};
} // namespace

/// `input` with everything that a window of `resultType` can touch.
static Value padForWindows(OpBuilder &builder, Location loc, Value input,
                           RankedTensorType resultType, const Window &window,
                           TypedAttr value) {
  SmallVector<int64_t> low(2, 0), high(2, 0);
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    int64_t needed = (resultType.getDimSize(2 + i) - 1) * window.strides[i] +
                     (window.kernel[i] - 1) * window.dilations[i] + 1;
    low.push_back(window.pads[i]);
    high.push_back(std::max<int64_t>(
        0, needed - typeOf(input).getDimSize(2 + i) - window.pads[i]));
  }
  return createPadded(builder, loc, input, low, high, value);
}

/// Reduces the windows of `padded` into `init` with `combine(element, sum)`.
static Value reduceWindows(
    OpBuilder &builder, Location loc, Value padded, Value init,
    const Window &window,
    llvm::function_ref<Value(OpBuilder &, Location, Value, Value)> combine) {
  // Loops: n, c, outer outputs, window, innermost output.
  unsigned spatial = window.kernel.size(), loops = 2 + 2 * spatial;
  auto dim = [&](unsigned index) { return builder.getAffineDimExpr(index); };
  SmallVector<AffineExpr> inputExprs{dim(0), dim(1)}, windowExprs,
      resultExprs{dim(0), dim(1)};
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::parallel);
  for (unsigned i = 0; i < spatial; ++i) {
    AffineExpr output = i + 1 < spatial ? dim(2 + i) : dim(loops - 1);
    AffineExpr tap = dim(1 + spatial + i);
    iterators[1 + spatial + i] = utils::IteratorType::reduction;
    inputExprs.push_back(output * window.strides[i] +
                         tap * window.dilations[i]);
    windowExprs.push_back(tap);
    resultExprs.push_back(output);
  }
  MLIRContext *context = builder.getContext();
  SmallVector<AffineMap> maps{AffineMap::get(loops, 0, inputExprs, context),
                              AffineMap::get(loops, 0, windowExprs, context),
                              AffineMap::get(loops, 0, resultExprs, context)};
  // Never read: it only tells the extents of the window.
  Value extents =
      tensor::EmptyOp::create(builder, loc, window.kernel, builder.getI8Type());
  return linalg::GenericOp::create(
             builder, loc, TypeRange{init.getType()},
             ValueRange{padded, extents}, ValueRange{init}, maps, iterators,
             [&](OpBuilder &nested, Location at, ValueRange args) {
               linalg::YieldOp::create(nested, at,
                                       combine(nested, at, args[0], args[2]));
             })
      .getResult(0);
}

namespace {

struct LowerMaxPool : OpConversionPattern<nn::MaxPoolOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::MaxPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    Type element = typeOf(op.getInput()).getElementType();
    bool isUnsigned = element.isUnsignedInteger();
    TypedAttr lowest;
    if (auto quantized = dyn_cast<quant::QuantizedType>(element)) {
      lowest = getStorageAttr(resultType.getElementType(),
                              quantized.getStorageTypeMin());
      isUnsigned = !quantized.isSigned();
    } else if (auto integer = dyn_cast<IntegerType>(element)) {
      unsigned width = integer.getWidth();
      lowest = rewriter.getIntegerAttr(
          resultType.getElementType(),
          isUnsigned ? llvm::APInt::getMinValue(width)
                     : llvm::APInt::getSignedMinValue(width));
    } else {
      lowest =
          rewriter.getF32FloatAttr(-std::numeric_limits<float>::infinity());
    }
    Window window(op);
    Location loc = op.getLoc();
    Value padded = padForWindows(rewriter, loc, adaptor.getInput(), resultType,
                                 window, lowest);
    Value init = createFilled(rewriter, loc, resultType, lowest);
    auto combine = [&](OpBuilder &builder, Location at, Value x,
                       Value max) -> Value {
      if (element.isF32())
        return createMax(builder, at, x, max);
      if (isUnsigned)
        return arith::MaxUIOp::create(builder, at, x, max);
      return arith::MaxSIOp::create(builder, at, x, max);
    };
    rewriter.replaceOp(
        op, reduceWindows(rewriter, loc, padded, init, window, combine));
    return success();
  }
};

struct LowerAvgPool : OpConversionPattern<nn::AvgPoolOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::AvgPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto resultType = cast<RankedTensorType>(op.getType());
    Window window(op);
    Location loc = op.getLoc();
    TypedAttr zero = rewriter.getF32FloatAttr(0);
    Value padded = padForWindows(rewriter, loc, adaptor.getInput(), resultType,
                                 window, zero);
    Value init = createFilled(rewriter, loc, resultType, zero);
    Value sum = reduceWindows(
        rewriter, loc, padded, init, window,
        [](OpBuilder &builder, Location at, Value x, Value acc) -> Value {
          return arith::AddFOp::create(builder, at, acc, x);
        });
    Value counts = createCounts(op, rewriter);
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, loc, {sum, counts}, resultType,
                [](OpBuilder &builder, Location at, ValueRange args) -> Value {
                  return arith::DivFOp::create(builder, at, args[0], args[1]);
                }));
    return success();
  }

private:
  /// The divisors, which broadcast to the result: a scalar when all are equal.
  static Value createCounts(nn::AvgPoolOp op, OpBuilder &builder) {
    SmallVector<float> counts{1};
    SmallVector<int64_t> shape;
    for (size_t i = 0; i < op.getKernel().size(); ++i) {
      SmallVector<int64_t> along = op.countAlong(i);
      shape.push_back(along.size());
      SmallVector<float> product;
      for (float outer : counts)
        for (int64_t inner : along)
          product.push_back(outer * float(inner));
      counts = std::move(product);
    }
    // A window that lies in padding only has the sum 0: avoid 0 / 0.
    for (float &count : counts)
      count = std::max(count, 1.0f);
    if (llvm::all_equal(counts))
      return createFloats(builder, op.getLoc(), {}, counts.front());
    return createFloats(builder, op.getLoc(), shape, counts);
  }
};

} // namespace

void cim::populatePoolingPatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerMaxPool, LowerAvgPool>(converter, patterns.getContext());
}
