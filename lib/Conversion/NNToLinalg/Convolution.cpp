// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions. Float ones become linalg's named ops, which the runtime's
// library computes; integer ones become loops that vectorise.
#include "IntegerProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace cim;

namespace {

struct LowerConv : OpConversionPattern<nn::ConvOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ConvOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value bias;
    if (adaptor.getBias()) {
      SmallVector<int64_t> shape(typeOf(op.getResult()).getRank() - 1, 1);
      shape[0] = typeOf(adaptor.getBias()).getDimSize(0);
      bias = createReshape(rewriter, op.getLoc(), adaptor.getBias(), shape);
    }
    RankedTensorType weightType = typeOf(op.getWeights());
    int64_t terms = weightType.getNumElements() / weightType.getDimSize(0);
    if (auto info = integerOperands(op.getInput(), op.getWeights(), 0, terms)) {
      rewriter.replaceOp(op, lowerInteger(op, adaptor, bias, *info, rewriter));
      return success();
    }
    Value input = asFloat(rewriter, op.getInput(), adaptor.getInput());
    Value weights = asFloat(rewriter, op.getWeights(), adaptor.getWeights());
    rewriter.replaceOp(op, lowerFloat(op, input, weights, bias, rewriter));
    return success();
  }

private:
  static Value pad(nn::ConvOp op, Value input, TypedAttr value,
                   OpBuilder &builder) {
    size_t spatial = op.getStrides().size();
    SmallVector<int64_t> low(2, 0), high(2, 0);
    llvm::append_range(low, op.getPads().take_front(spatial));
    llvm::append_range(high, op.getPads().drop_front(spatial));
    return createPadded(builder, op.getLoc(), input, low, high, value);
  }

  /// linalg.conv_2d_nchw_fchw, or conv_2d_ngchw_gfchw with groups; a single
  /// spatial dimension becomes the second of two.
  static Value lowerFloat(nn::ConvOp op, Value input, Value weights, Value bias,
                          OpBuilder &builder) {
    Location loc = op.getLoc();
    input = pad(op, input, builder.getF32FloatAttr(0), builder);
    SmallVector<int64_t> strides(op.getStrides()), dilations(op.getDilations());
    SmallVector<int64_t> inputShape(typeOf(input).getShape()),
        weightShape(typeOf(weights).getShape()),
        resultShape(typeOf(op.getResult()).getShape());
    if (strides.size() == 1) {
      strides.insert(strides.begin(), 1);
      dilations.insert(dilations.begin(), 1);
      for (auto *shape : {&inputShape, &weightShape, &resultShape})
        shape->insert(shape->begin() + 2, 1);
    }
    int64_t groups = op.getGroups();
    if (groups > 1) {
      auto split = [&](SmallVector<int64_t> &shape, int64_t dim) {
        shape[dim] /= groups;
        shape.insert(shape.begin() + dim, groups);
      };
      split(inputShape, 1);
      split(weightShape, 0);
      split(resultShape, 1);
    }

    Type f32 = builder.getF32Type();
    auto flatType = cast<RankedTensorType>(op.getType());
    Value init =
        bias ? createElementwise(builder, loc, bias, flatType,
                                 [](OpBuilder &, Location, ValueRange args) {
                                   return args[0];
                                 })
             : createFilled(builder, loc, flatType, builder.getF32FloatAttr(0));
    input = createReshape(builder, loc, input, inputShape);
    weights = createReshape(builder, loc, weights, weightShape);
    init = createReshape(builder, loc, init, resultShape);
    auto type = RankedTensorType::get(resultShape, f32);
    auto stridesAttr = builder.getI64TensorAttr(strides);
    auto dilationsAttr = builder.getI64TensorAttr(dilations);
    Value result;
    if (groups > 1)
      result = linalg::Conv2DNgchwGfchwOp::create(
                   builder, loc, type, ValueRange{input, weights},
                   ValueRange{init}, stridesAttr, dilationsAttr)
                   .getResult(0);
    else
      result = linalg::Conv2DNchwFchwOp::create(
                   builder, loc, type, ValueRange{input, weights},
                   ValueRange{init}, stridesAttr, dilationsAttr)
                   .getResult(0);
    return createReshape(builder, loc, result, flatType.getShape());
  }

  /// One loop nest over storage integers. The last spatial dimension of the
  /// result is the innermost loop, so that LLVM vectorises it.
  static Value lowerInteger(nn::ConvOp op, OpAdaptor adaptor, Value bias,
                            const IntegerOperands &info, OpBuilder &builder) {
    Location loc = op.getLoc();
    Value input = adaptor.getInput();
    auto elementType = typeOf(input).getElementType();
    input =
        pad(op, input, getStorageAttr(elementType, info.a.zeroPoints.front()),
            builder);
    size_t spatial = op.getStrides().size();
    int64_t groups = op.getGroups();
    SmallVector<int64_t> inputShape(typeOf(input).getShape()),
        weightShape(typeOf(adaptor.getWeights()).getShape()),
        sumShape(typeOf(op.getResult()).getShape());
    int64_t channels = sumShape[1];
    inputShape[1] /= groups;
    inputShape.insert(inputShape.begin() + 1, groups);
    weightShape[0] /= groups;
    weightShape.insert(weightShape.begin(), groups);
    sumShape[1] /= groups;
    sumShape.insert(sumShape.begin() + 1, groups);

    // Loops: n, g, f, outer outputs, c, window, innermost output.
    unsigned loops = 4 + 2 * spatial;
    auto dim = [&](unsigned index) { return builder.getAffineDimExpr(index); };
    AffineExpr n = dim(0), g = dim(1), f = dim(2), c = dim(2 + spatial);
    SmallVector<AffineExpr> inputExprs{n, g, c}, weightExprs{g, f, c},
        sumExprs{n, g, f};
    SmallVector<utils::IteratorType> iterators(loops,
                                               utils::IteratorType::parallel);
    iterators[2 + spatial] = utils::IteratorType::reduction;
    for (size_t i = 0; i < spatial; ++i) {
      AffineExpr output = i + 1 < spatial ? dim(3 + i) : dim(loops - 1);
      AffineExpr window = dim(3 + spatial + i);
      iterators[3 + spatial + i] = utils::IteratorType::reduction;
      inputExprs.push_back(output * op.getStrides()[i] +
                           window * op.getDilations()[i]);
      weightExprs.push_back(window);
      sumExprs.push_back(output);
    }

    SmallVector<Value> operands{
        createReshape(builder, loc, input, inputShape),
        createReshape(builder, loc, adaptor.getWeights(), weightShape)};
    SmallVector<SmallVector<AffineExpr>> exprs{inputExprs, weightExprs};
    if (info.b.hasZeroPoint()) {
      Value zeros = zeroPointTensor(builder, loc, info.b, channels);
      operands.push_back(
          createReshape(builder, loc, zeros, {groups, channels / groups}));
      exprs.push_back({g, f});
    }
    exprs.push_back(sumExprs);
    SmallVector<AffineMap> maps;
    for (auto &results : exprs)
      maps.push_back(AffineMap::get(loops, 0, results, builder.getContext()));

    auto sumType = RankedTensorType::get(sumShape, builder.getI32Type());
    Value sum = createIntegerSum(builder, loc, sumType, operands, maps,
                                 iterators, info);
    sum = createReshape(builder, loc, sum, typeOf(op.getResult()).getShape());
    return scaleSum(builder, loc, sum, bias, 1, info);
  }
};

} // namespace

void cim::populateConvolutionPatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  patterns.add<LowerConv>(converter, patterns.getContext());
}
