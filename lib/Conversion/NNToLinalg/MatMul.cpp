// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products. Float ones become linalg's named ops, which the runtime's
// library computes; integer ones become loops that vectorise.
#include "IntegerProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace cim;

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

namespace {

struct LowerMatMul : OpConversionPattern<nn::MatMulOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::MatMulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    int64_t rank = typeOf(op.getB()).getRank();
    int64_t channelAxis = rank - (op.getTransposeB() ? 2 : 1);
    if (auto info = integerOperands(op.getA(), op.getB(), channelAxis,
                                    typeOf(op.getA()).getShape().back())) {
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
    Value sum = createIntegerSum(builder, loc, sumType, operands, maps,
                                 iterators, info);
    return scaleSum(builder, loc, sum, adaptor.getBias(),
                    resultType.getRank() - 1, info);
  }
};

} // namespace

void cim::populateMatMulPatterns(const TypeConverter &converter,
                                 RewritePatternSet &patterns) {
  patterns.add<LowerMatMul>(converter, patterns.getContext());
}
