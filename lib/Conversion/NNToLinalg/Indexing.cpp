// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn.broadcast, nn.gather and nn.scatter. Nothing is read or written out of
// bounds, whatever the indices are.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace cim;

namespace {
/// A tensor as outer x count x inner around the dimension that is indexed:
/// loops over few dimensions need no divisions when they are merged.
struct Sliced {
  int64_t outer, extent, inner;

  Sliced(RankedTensorType data, int64_t axis)
      : outer(llvm::product_of(data.getShape().take_front(axis))),
        extent(data.getDimSize(axis)),
        inner(llvm::product_of(data.getShape().drop_front(axis + 1))) {}

  SmallVector<int64_t> shape(int64_t count) const {
    return {outer, count, inner};
  }
};
} // namespace

static Value createIndex(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// Counts a negative `index` from the end of a dimension; no more is checked.
static Value createPosition(OpBuilder &builder, Location loc, Value index,
                            int64_t extent) {
  Value position =
      arith::IndexCastOp::create(builder, loc, builder.getIndexType(), index);
  Value isNegative =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, position,
                            createIndex(builder, loc, 0));
  Value fromEnd = arith::AddIOp::create(builder, loc, position,
                                        createIndex(builder, loc, extent));
  return arith::SelectOp::create(builder, loc, isNegative, fromEnd, position);
}

/// `update` combined with what is there.
static Value createCombined(OpBuilder &builder, Location loc, nn::Combine how,
                            Type element, Value old, Value update) {
  bool isFloat = isa<FloatType>(element),
       isUnsigned = element.isUnsignedInteger();
  switch (how) {
  case nn::Combine::Set:
    return update;
  case nn::Combine::Add:
    if (isFloat)
      return arith::AddFOp::create(builder, loc, old, update);
    return arith::AddIOp::create(builder, loc, old, update);
  case nn::Combine::Mul:
    if (isFloat)
      return arith::MulFOp::create(builder, loc, old, update);
    return arith::MulIOp::create(builder, loc, old, update);
  case nn::Combine::Max:
    if (isFloat)
      return arith::MaximumFOp::create(builder, loc, old, update);
    if (isUnsigned)
      return arith::MaxUIOp::create(builder, loc, old, update);
    return arith::MaxSIOp::create(builder, loc, old, update);
  case nn::Combine::Min:
    if (isFloat)
      return arith::MinimumFOp::create(builder, loc, old, update);
    if (isUnsigned)
      return arith::MinUIOp::create(builder, loc, old, update);
    return arith::MinSIOp::create(builder, loc, old, update);
  }
  llvm_unreachable("covered switch");
}

namespace {

struct LowerBroadcast : OpConversionPattern<nn::BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::BroadcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), adaptor.getInput(), type,
                              [](OpBuilder &, Location, ValueRange args) {
                                return args[0];
                              }));
    return success();
  }
};

struct LowerGather : OpConversionPattern<nn::GatherOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::GatherOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    Sliced sliced(typeOf(adaptor.getData()), op.getAxis());
    int64_t count = typeOf(adaptor.getIndices()).getNumElements();
    Value data = createReshape(rewriter, loc, adaptor.getData(),
                               sliced.shape(sliced.extent));
    Value indices =
        createReshape(rewriter, loc, adaptor.getIndices(), {count, 1});
    auto body = [&](OpBuilder &nested, Location at, ValueRange args) -> Value {
      Value position = createPosition(nested, at, args[0], sliced.extent);
      position = arith::MaxSIOp::create(nested, at, position,
                                        createIndex(nested, at, 0));
      position = arith::MinSIOp::create(
          nested, at, position, createIndex(nested, at, sliced.extent - 1));
      Value outer = linalg::IndexOp::create(nested, at, 0),
            inner = linalg::IndexOp::create(nested, at, 2);
      return tensor::ExtractOp::create(nested, at, data,
                                       ValueRange{outer, position, inner});
    };
    Value taken = createElementwise(rewriter, loc, indices,
                                    type.clone(sliced.shape(count)), body);
    rewriter.replaceOp(op,
                       createReshape(rewriter, loc, taken, type.getShape()));
    return success();
  }
};

struct LowerScatter : OpConversionPattern<nn::ScatterOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::ScatterOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(adaptor.getData());
    Sliced sliced(type, op.getAxis());
    int64_t count = typeOf(adaptor.getIndices()).getNumElements();
    if (type.getNumElements() == 0) {
      rewriter.replaceOp(op, adaptor.getData());
      return success();
    }
    Value data = createReshape(rewriter, loc, adaptor.getData(),
                               sliced.shape(sliced.extent));
    Value indices = createReshape(rewriter, loc, adaptor.getIndices(), {count});
    Value updates =
        createReshape(rewriter, loc, adaptor.getUpdates(), sliced.shape(count));
    SmallVector<Value> from(3, createIndex(rewriter, loc, 0)),
        step(3, createIndex(rewriter, loc, 1)), to;
    for (int64_t extent : sliced.shape(count))
      to.push_back(createIndex(rewriter, loc, extent));
    scf::LoopNest loops = scf::buildLoopNest(
        rewriter, loc, from, to, step, data,
        [&](OpBuilder &nested, Location at, ValueRange position,
            ValueRange result) -> scf::ValueVector {
          Value update =
              tensor::ExtractOp::create(nested, at, updates, position);
          Value index =
              tensor::ExtractOp::create(nested, at, indices, position[1]);
          return {put(nested, at, op, result[0], sliced.extent, position, index,
                      update)};
        });
    rewriter.replaceOp(
        op, createReshape(rewriter, loc, loops.results[0], type.getShape()));
    return success();
  }

private:
  /// `data` with `update` at `index`, or unchanged when that is out of bounds.
  static Value put(OpBuilder &builder, Location loc, nn::ScatterOp op,
                   Value data, int64_t extent, ValueRange position, Value index,
                   Value update) {
    Value wanted = createPosition(builder, loc, index, extent);
    // Unsigned, a number below zero is large.
    Value isInside =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, wanted,
                              createIndex(builder, loc, extent));
    Value inside = arith::SelectOp::create(builder, loc, isInside, wanted,
                                           createIndex(builder, loc, 0));
    SmallVector<Value> place{position[0], inside, position[2]};
    Value old = tensor::ExtractOp::create(builder, loc, data, place);
    Value combined =
        createCombined(builder, loc, op.getCombine(),
                       typeOf(op.getData()).getElementType(), old, update);
    Value element =
        arith::SelectOp::create(builder, loc, isInside, combined, old);
    return tensor::InsertOp::create(builder, loc, element, data, place);
  }
};

} // namespace

void cim::populateIndexingPatterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerBroadcast, LowerGather, LowerScatter>(
      converter, patterns.getContext());
}
