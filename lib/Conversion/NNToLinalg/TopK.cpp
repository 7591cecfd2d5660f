// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn.top_k as an insertion sort: an element enters the k largest so far at
// their end and moves up. Of n numbers in no order, about k log(n / k) enter.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace cim;

namespace {

/// The k largest numbers of every row so far: tensors of values and indices.
struct Best {
  Value values, indices;

  explicit Best(ValueRange range) : values(range[0]), indices(range[1]) {}
  SmallVector<Value> range() const { return {values, indices}; }
};

class TopKBuilder {
public:
  TopKBuilder(OpBuilder &builder, Location loc, Type element, int64_t k)
      : builder(builder), loc(loc), element(element), k(k) {}

  /// Loops over the elements of `rows`, of rank 2.
  Best run(Value rows, Best best) {
    RankedTensorType type = typeOf(rows);
    return loop(0, type.getDimSize(0), best, [&](Value row, Best ofRows) {
      return loop(0, type.getDimSize(1), ofRows, [&](Value column, Best now) {
        return offer(rows, row, column, now);
      });
    });
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }

  Best loop(int64_t from, int64_t to, Best start,
            llvm::function_ref<Best(Value, Best)> body) {
    auto loop = scf::ForOp::create(
        builder, loc, index(from), index(to), index(1), start.range(),
        [&](OpBuilder &, Location at, Value position, ValueRange state) {
          scf::YieldOp::create(builder, at,
                               body(position, Best(state)).range());
        });
    return Best(loop.getResults());
  }

  Value extract(Value tensor, Value row, Value column) {
    return tensor::ExtractOp::create(builder, loc, tensor,
                                     ValueRange{row, column});
  }

  Value insert(Value scalar, Value tensor, Value row, Value column) {
    return tensor::InsertOp::create(builder, loc, scalar, tensor,
                                    ValueRange{row, column});
  }

  /// Whether `x` comes before what is at a place: places are free until an
  /// element has been put there.
  Value isBefore(Value x, Value value, Value position) {
    Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
    Value isFree = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::slt, position, zero);
    Value isLarger;
    if (isa<FloatType>(element))
      isLarger = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT,
                                       x, value);
    else
      isLarger = arith::CmpIOp::create(builder, loc,
                                       element.isUnsignedInteger()
                                           ? arith::CmpIPredicate::ugt
                                           : arith::CmpIPredicate::sgt,
                                       x, value);
    return arith::OrIOp::create(builder, loc, isFree, isLarger);
  }

  /// Lets an element in when it is larger than the last.
  Best offer(Value rows, Value row, Value column, Best best) {
    Value x = extract(rows, row, column), last = index(k - 1);
    Value enters = isBefore(x, extract(best.values, row, last),
                            extract(best.indices, row, last));
    auto choice = scf::IfOp::create(
        builder, loc, enters,
        [&](OpBuilder &, Location at) {
          Value position = arith::IndexCastOp::create(
              builder, at, builder.getI64Type(), column);
          Best entered({insert(x, best.values, row, last),
                        insert(position, best.indices, row, last)});
          scf::YieldOp::create(builder, at, moveUp(row, entered).range());
        },
        [&](OpBuilder &, Location at) {
          scf::YieldOp::create(builder, at, best.range());
        });
    return Best(choice.getResults());
  }

  /// Exchanges neighbours, from the last two on, that are in the wrong order.
  Best moveUp(Value row, Best best) {
    return loop(1, k, best, [&](Value step, Best now) {
      Value low = arith::SubIOp::create(builder, loc, index(k), step);
      Value high = arith::SubIOp::create(builder, loc, low, index(1));
      Value x = extract(now.values, row, low),
            i = extract(now.indices, row, low),
            y = extract(now.values, row, high),
            j = extract(now.indices, row, high);
      Value swaps = isBefore(x, y, j);
      auto exchange = [&](Value tensor, Value lower, Value higher) {
        Value up = arith::SelectOp::create(builder, loc, swaps, lower, higher);
        Value down =
            arith::SelectOp::create(builder, loc, swaps, higher, lower);
        return insert(down, insert(up, tensor, row, high), row, low);
      };
      return Best({exchange(now.values, x, y), exchange(now.indices, i, j)});
    });
  }

  OpBuilder &builder;
  Location loc;
  Type element; ///< in nn
  int64_t k;
};

struct LowerTopK : OpConversionPattern<nn::TopKOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(nn::TopKOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(adaptor.getInput());
    int64_t columns = type.getShape().back(),
            rows = type.getNumElements() / columns, k = op.getK();
    Value input =
        createReshape(rewriter, loc, adaptor.getInput(), {rows, columns});
    Value values = tensor::EmptyOp::create(
        rewriter, loc, ArrayRef<int64_t>{rows, k}, type.getElementType());
    auto indexType = RankedTensorType::get({rows, k}, rewriter.getI64Type());
    Value indices =
        createFilled(rewriter, loc, indexType, rewriter.getI64IntegerAttr(-1));
    Type element = getElementTypeOrSelf(op.getInput().getType());
    Best best = TopKBuilder(rewriter, loc, element, k)
                    .run(input, Best({values, indices}));
    ArrayRef<int64_t> shape = typeOf(op.getIndices()).getShape();
    rewriter.replaceOp(op, {createReshape(rewriter, loc, best.values, shape),
                            createReshape(rewriter, loc, best.indices, shape)});
    return success();
  }
};

} // namespace

void cim::populateTopKPatterns(const TypeConverter &converter,
                               RewritePatternSet &patterns) {
  patterns.add<LowerTopK>(converter, patterns.getContext());
}
