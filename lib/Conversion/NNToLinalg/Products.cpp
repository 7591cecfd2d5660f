// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions and matrix products. Float ones become linalg's named ops, which
// the runtime's library computes; integer ones become loops that vectorise.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace cim;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isQuantized(Value value) {
  return isa<quant::QuantizedType>(typeOf(value).getElementType());
}

/// Both operands as their storage integers, when the product of the integers
/// differs from the real one by a factor per output channel only.
struct IntegerOperands {
  Quantization a, b;
};

static std::optional<IntegerOperands> integerOperands(Value a, Value b,
                                                      int64_t channelAxis) {
  auto quantizationA = Quantization::get(typeOf(a).getElementType());
  auto quantizationB = Quantization::get(typeOf(b).getElementType());
  if (failed(quantizationA) || failed(quantizationB) || quantizationA->axis ||
      (quantizationB->axis && *quantizationB->axis != channelAxis))
    return std::nullopt;
  return IntegerOperands{*quantizationA, *quantizationB};
}

/// A value that is quantised is dequantised, so that the product is float.
static Value asFloat(OpBuilder &builder, Value original, Value storage) {
  if (!isQuantized(original))
    return storage;
  Value quantized = UnrealizedConversionCastOp::create(
                        builder, original.getLoc(), original.getType(), storage)
                        .getResult(0);
  return nn::DequantizeOp::create(builder, original.getLoc(),
                                  typeOf(original).clone(builder.getF32Type()),
                                  quantized);
}

/// acc + (a - zeroA) * (b - zeroB) in 32 bits. `zeroB` is the block argument
/// of a per-channel zero point, or null.
static Value integerMac(OpBuilder &builder, Location loc, Value a, Value b,
                        Value acc, Value zeroB, const IntegerOperands &info) {
  Type i32 = builder.getI32Type();
  a = createExtend(builder, loc, a, i32, info.a.isSigned);
  b = createExtend(builder, loc, b, i32, info.b.isSigned);
  if (int64_t zero = info.a.zeroPoints.front())
    a = arith::SubIOp::create(
        builder, loc, a,
        arith::ConstantOp::create(builder, loc,
                                  builder.getI32IntegerAttr(zero)));
  if (zeroB)
    b = arith::SubIOp::create(builder, loc, b, zeroB);
  return arith::AddIOp::create(builder, loc, acc,
                               arith::MulIOp::create(builder, loc, a, b));
}

/// float(sum) * scale + bias per output channel (dimension `axis`).
static Value scaleSum(OpBuilder &builder, Location loc, Value sum, Value bias,
                      int64_t axis, const IntegerOperands &info) {
  RankedTensorType type = typeOf(sum).clone(builder.getF32Type());
  SmallVector<float> scales;
  for (double scale : info.b.scales)
    scales.push_back(float(info.a.scales.front() * scale));
  std::optional<int64_t> scaleAxis;
  if (info.b.axis)
    scaleAxis = axis;
  SmallVector<Value> operands{
      sum, createPerChannel(builder, loc, scales, scaleAxis, type.getRank())};
  if (bias)
    operands.push_back(bias);
  return createElementwise(
      builder, loc, operands, type,
      [](OpBuilder &nested, Location nestedLoc, ValueRange args) -> Value {
        Value y = arith::SIToFPOp::create(nested, nestedLoc,
                                          nested.getF32Type(), args[0]);
        y = arith::MulFOp::create(nested, nestedLoc, y, args[1]);
        if (args.size() == 3)
          y = arith::AddFOp::create(nested, nestedLoc, y, args[2]);
        return y;
      });
}

/// Zero points of the weights, one per channel, as an operand of the loop.
static Value zeroPointTensor(OpBuilder &builder, Location loc,
                             const Quantization &quantization,
                             int64_t channels) {
  SmallVector<int32_t> zeros(quantization.zeroPoints.begin(),
                             quantization.zeroPoints.end());
  if (zeros.size() == 1)
    zeros.assign(channels, zeros.front());
  auto type = RankedTensorType::get({channels}, builder.getI32Type());
  return arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(zeros)));
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

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
    if (auto info = integerOperands(op.getInput(), op.getWeights(), 0)) {
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
    input = pad(op, input,
                builder.getIntegerAttr(elementType, info.a.zeroPoints.front()),
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
    Value init =
        createFilled(builder, loc, sumType, builder.getI32IntegerAttr(0));
    Value sum =
        linalg::GenericOp::create(
            builder, loc, TypeRange{sumType}, operands, ValueRange{init}, maps,
            iterators,
            [&](OpBuilder &nested, Location at, ValueRange args) {
              Value zero = args.size() == 4 ? args[2] : Value();
              linalg::YieldOp::create(nested, at,
                                      integerMac(nested, at, args[0], args[1],
                                                 args.back(), zero, info));
            })
            .getResult(0);
    sum = createReshape(builder, loc, sum, typeOf(op.getResult()).getShape());
    return scaleSum(builder, loc, sum, bias, 1, info);
  }
};

//===----------------------------------------------------------------------===//
// Matrix product
//===----------------------------------------------------------------------===//

/// The transposed float matrix, computed now when it is a constant.
static Value transposeMatrix(OpBuilder &builder, Location loc, Value matrix) {
  RankedTensorType type = typeOf(matrix);
  ElementsAttr value;
  if (type.getRank() == 2 && type.getElementType().isF32() &&
      matchPattern(matrix, m_Constant(&value))) {
    ArrayRef<char> raw;
    if (auto dense = dyn_cast<DenseElementsAttr>(value);
        dense && !dense.isSplat())
      raw = dense.getRawData();
    else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
      raw = resource.getData();
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
    if (raw.size() == size_t(rows * columns) * sizeof(float)) {
      auto *from = reinterpret_cast<const float *>(raw.data());
      AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
          raw.size(), /*align=*/64, /*dataIsMutable=*/true);
      auto *to = reinterpret_cast<float *>(blob.getMutableData().data());
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < columns; ++column)
          to[column * rows + row] = from[row * columns + column];
      return arith::ConstantOp::create(
          builder, loc,
          cast<TypedAttr>(DenseF32ResourceElementsAttr::get(
              type.clone({columns, rows}), "transposed", std::move(blob))));
    }
  }
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  std::swap(permutation.back(), permutation[permutation.size() - 2]);
  return createTranspose(builder, loc, matrix, permutation);
}

struct LowerMatMul : OpConversionPattern<nn::MatMulOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::MatMulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    int64_t rank = typeOf(op.getB()).getRank();
    int64_t channelAxis = rank - (op.getTransposeB() ? 2 : 1);
    if (auto info = integerOperands(op.getA(), op.getB(), channelAxis)) {
      rewriter.replaceOp(op, lowerInteger(op, adaptor, *info, rewriter));
      return success();
    }
    Value a = asFloat(rewriter, op.getA(), adaptor.getA());
    Value b = asFloat(rewriter, op.getB(), adaptor.getB());
    rewriter.replaceOp(op, lowerFloat(op, a, b, adaptor.getBias(), rewriter));
    return success();
  }

private:
  static Value lowerFloat(nn::MatMulOp op, Value a, Value b, Value bias,
                          OpBuilder &builder) {
    Location loc = op.getLoc();
    if (op.getTransposeB())
      b = transposeMatrix(builder, loc, b);
    auto resultType = cast<RankedTensorType>(op.getType());
    Value init =
        bias ? createElementwise(builder, loc, bias, resultType,
                                 [](OpBuilder &, Location, ValueRange args) {
                                   return args[0];
                                 })
             : createFilled(builder, loc, resultType,
                            builder.getF32FloatAttr(0));
    int64_t m = typeOf(a).getShape().drop_back().back();
    int64_t k = typeOf(a).getShape().back();
    int64_t n = resultType.getShape().back();
    Value result;
    if (typeOf(b).getRank() == 2) {
      int64_t rows = resultType.getNumElements() / n;
      init = createReshape(builder, loc, init, {rows, n});
      result = linalg::MatmulOp::create(
                   builder, loc, TypeRange{init.getType()},
                   ValueRange{createReshape(builder, loc, a, {rows, k}), b},
                   ValueRange{init})
                   .getResult(0);
    } else {
      int64_t batch = resultType.getNumElements() / (m * n);
      ArrayRef<int64_t> leading = resultType.getShape().drop_back(2);
      a = broadcastLeading(builder, loc, a, leading);
      b = broadcastLeading(builder, loc, b, leading);
      init = createReshape(builder, loc, init, {batch, m, n});
      result = linalg::BatchMatmulOp::create(
                   builder, loc, TypeRange{init.getType()},
                   ValueRange{createReshape(builder, loc, a, {batch, m, k}),
                              createReshape(builder, loc, b, {batch, k, n})},
                   ValueRange{init})
                   .getResult(0);
    }
    return createReshape(builder, loc, result, resultType.getShape());
  }

  /// `value` with the dimensions before the last two broadcast to `leading`.
  static Value broadcastLeading(OpBuilder &builder, Location loc, Value value,
                                ArrayRef<int64_t> leading) {
    RankedTensorType type = typeOf(value);
    SmallVector<int64_t> shape(leading);
    llvm::append_range(shape, type.getShape().take_back(2));
    if (ArrayRef<int64_t>(shape) == type.getShape())
      return value;
    return createElementwise(
        builder, loc, value, type.clone(shape),
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  }

  /// Loops over leading dimensions, m, k, n; operands broadcast in their maps.
  static Value lowerInteger(nn::MatMulOp op, OpAdaptor adaptor,
                            const IntegerOperands &info, OpBuilder &builder) {
    Location loc = op.getLoc();
    auto resultType = cast<RankedTensorType>(op.getType());
    unsigned leading = resultType.getRank() - 2, loops = leading + 3;
    auto dim = [&](unsigned index) { return builder.getAffineDimExpr(index); };
    AffineExpr m = dim(leading), k = dim(leading + 1), n = dim(leading + 2);

    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    auto addOperand = [&](Value value, AffineExpr row, AffineExpr column) {
      RankedTensorType type = typeOf(value);
      unsigned missing = leading - (type.getRank() - 2);
      SmallVector<int64_t> shape;
      SmallVector<AffineExpr> exprs;
      for (unsigned i = 0; i + 2 < type.getRank(); ++i) {
        if (type.getDimSize(i) != resultType.getDimSize(missing + i))
          continue;
        shape.push_back(type.getDimSize(i));
        exprs.push_back(dim(missing + i));
      }
      llvm::append_range(shape, type.getShape().take_back(2));
      exprs.append({row, column});
      operands.push_back(createReshape(builder, loc, value, shape));
      maps.push_back(AffineMap::get(loops, 0, exprs, builder.getContext()));
    };
    addOperand(adaptor.getA(), m, k);
    if (op.getTransposeB())
      addOperand(adaptor.getB(), n, k);
    else
      addOperand(adaptor.getB(), k, n);
    if (info.b.hasZeroPoint()) {
      operands.push_back(
          zeroPointTensor(builder, loc, info.b, resultType.getShape().back()));
      maps.push_back(AffineMap::get(loops, 0, {n}, builder.getContext()));
    }
    SmallVector<AffineExpr> sumExprs;
    for (unsigned i = 0; i < leading; ++i)
      sumExprs.push_back(dim(i));
    sumExprs.append({m, n});
    maps.push_back(AffineMap::get(loops, 0, sumExprs, builder.getContext()));
    SmallVector<utils::IteratorType> iterators(loops,
                                               utils::IteratorType::parallel);
    iterators[leading + 1] = utils::IteratorType::reduction;

    RankedTensorType sumType = resultType.clone(builder.getI32Type());
    Value init =
        createFilled(builder, loc, sumType, builder.getI32IntegerAttr(0));
    Value sum =
        linalg::GenericOp::create(
            builder, loc, TypeRange{sumType}, operands, ValueRange{init}, maps,
            iterators,
            [&](OpBuilder &nested, Location at, ValueRange args) {
              Value zero = args.size() == 4 ? args[2] : Value();
              linalg::YieldOp::create(nested, at,
                                      integerMac(nested, at, args[0], args[1],
                                                 args.back(), zero, info));
            })
            .getResult(0);
    return scaleSum(builder, loc, sum, adaptor.getBias(),
                    resultType.getRank() - 1, info);
  }
};

} // namespace

void cim::populateProductPatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerConv, LowerMatMul>(converter, patterns.getContext());
}
