// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions along dimensions and softmax.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace cim;

/// Reduces `axes` of `input`, starting from `start`; the result keeps them with
/// extent 1.
static Value
reduce(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes,
       TypedAttr start,
       llvm::function_ref<Value(OpBuilder &, Location, Value, Value)> combine) {
  RankedTensorType type = typeOf(input);
  SmallVector<int64_t> keptShape(type.getShape()), shape;
  SmallVector<AffineExpr> exprs;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (llvm::is_contained(axes, dim)) {
      keptShape[dim] = 1;
      iterators.push_back(utils::IteratorType::reduction);
      continue;
    }
    shape.push_back(type.getDimSize(dim));
    exprs.push_back(builder.getAffineDimExpr(dim));
    iterators.push_back(utils::IteratorType::parallel);
  }
  RankedTensorType sumType = type.clone(shape);
  SmallVector<AffineMap> maps{
      builder.getMultiDimIdentityMap(type.getRank()),
      AffineMap::get(type.getRank(), 0, exprs, builder.getContext())};
  Value init = createFilled(builder, loc, sumType, start);
  Value sum = linalg::GenericOp::create(
                  builder, loc, TypeRange{sumType}, ValueRange{input},
                  ValueRange{init}, maps, iterators,
                  [&](OpBuilder &nested, Location at, ValueRange args) {
                    linalg::YieldOp::create(
                        nested, at, combine(nested, at, args[0], args[1]));
                  })
                  .getResult(0);
  return createReshape(builder, loc, sum, keptShape);
}

/// What combines two numbers of type `element` in nn; MLIR knows the op and its
/// identity.
static arith::AtomicRMWKind scalarKind(nn::Reduction kind, Type element) {
  using Kind = arith::AtomicRMWKind;
  bool isFloat = isa<FloatType>(element),
       isUnsigned = element.isUnsignedInteger();
  switch (kind) {
  case nn::Reduction::Sum:
  case nn::Reduction::Mean:
    return isFloat ? Kind::addf : Kind::addi;
  case nn::Reduction::Prod:
    return isFloat ? Kind::mulf : Kind::muli;
  case nn::Reduction::Max:
    return isFloat ? Kind::maximumf : isUnsigned ? Kind::maxu : Kind::maxs;
  case nn::Reduction::Min:
    return isFloat ? Kind::minimumf : isUnsigned ? Kind::minu : Kind::mins;
  }
  llvm_unreachable("covered switch");
}

static Value addFloats(OpBuilder &builder, Location loc, Value x, Value acc) {
  return arith::AddFOp::create(builder, loc, acc, x);
}

static Value divideFloats(OpBuilder &builder, Location loc, ValueRange args) {
  return arith::DivFOp::create(builder, loc, args[0], args[1]);
}

namespace {

struct LowerReduce : OpConversionPattern<nn::ReduceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type storage = typeOf(adaptor.getInput()).getElementType();
    arith::AtomicRMWKind kind =
        scalarKind(op.getKind(), getElementTypeOrSelf(op.getInput().getType()));
    Value result =
        reduce(rewriter, loc, adaptor.getInput(), op.getAxes(),
               arith::getIdentityValueAttr(kind, storage, rewriter, loc),
               [kind](OpBuilder &builder, Location at, Value x, Value acc) {
                 return arith::getReductionOp(kind, builder, at, acc, x);
               });
    if (op.getKind() == nn::Reduction::Mean)
      result = divideByCount(rewriter, op, result);
    rewriter.replaceOp(op, createReshape(rewriter, loc, result,
                                         typeOf(op.getResult()).getShape()));
    return success();
  }

private:
  static Value divideByCount(OpBuilder &builder, nn::ReduceOp op, Value sum) {
    float count = 1;
    for (int64_t axis : op.getAxes())
      count *= float(typeOf(op.getInput()).getDimSize(axis));
    return createElementwise(
        builder, op.getLoc(),
        {sum, createFloats(builder, op.getLoc(), {}, count)}, typeOf(sum),
        divideFloats);
  }
};

struct LowerSoftmax : OpConversionPattern<nn::SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t axis = op.getAxis();
    Value max = reduce(
        rewriter, loc, adaptor.getInput(), axis,
        rewriter.getF32FloatAttr(-std::numeric_limits<float>::infinity()),
        createMax);
    Value exponentials = createElementwise(
        rewriter, loc, {adaptor.getInput(), max}, type,
        [](OpBuilder &builder, Location at, ValueRange args) -> Value {
          Value shifted = arith::SubFOp::create(builder, at, args[0], args[1]);
          return math::ExpOp::create(builder, at, shifted);
        });
    Value sum = reduce(rewriter, loc, exponentials, axis,
                       rewriter.getF32FloatAttr(0), addFloats);
    rewriter.replaceOp(op, createElementwise(rewriter, loc, {exponentials, sum},
                                             type, divideFloats));
    return success();
  }
};

} // namespace

void cim::populateReductionPatterns(const TypeConverter &converter,
                                    RewritePatternSet &patterns) {
  patterns.add<LowerReduce, LowerSoftmax>(converter, patterns.getContext());
}
