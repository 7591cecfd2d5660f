// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products. Float ones become linalg's named ops, which the runtime's
// library computes; integer ones become loops that vectorise.
#include "IntegerProduct.h"

#include "cim/Dialect/NN/Transforms/ConstantFolding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace cim;

static Value transposeMatrices(OpBuilder &builder, Location loc, Value value) {
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(typeOf(value).getRank()));
  std::swap(permutation.back(), permutation[permutation.size() - 2]);
  return createTranspose(builder, loc, value, permutation);
}

void cim::transposeWeights(ModuleOp module) {
  llvm::DenseMap<Value, Value> transposed;
  module.walk([&](nn::MatMulOp op) {
    auto weights = op.getB().getDefiningOp<nn::ConstantOp>();
    if (!op.getTransposeB() || !weights || typeOf(weights).getRank() != 2 ||
        !typeOf(weights).getElementType().isF32())
      return;
    auto [entry, isNew] = transposed.try_emplace(weights);
    if (isNew) {
      OpBuilder builder(weights);
      auto move = nn::TransposeOp::create(builder, weights.getLoc(), weights,
                                          ArrayRef<int64_t>{1, 0});
      FailureOr<ElementsAttr> values =
          nn::moveElements(move, weights.getValue());
      if (succeeded(values))
        entry->second =
            nn::ConstantOp::create(builder, weights.getLoc(), *values);
      move.erase();
    }
    if (!entry->second)
      return;
    op.getBMutable().assign(entry->second);
    op.setTransposeB(false);
  });
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
      b = transposeMatrices(builder, loc, b);
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
