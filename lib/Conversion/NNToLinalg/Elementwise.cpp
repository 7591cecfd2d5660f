// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn's element-wise operators to loops that fuse: one scalar computation each.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace cim;

namespace {
/// Scalars of an op: `type` is the element type of its first operand in nn,
/// which knows unsigned integers; values are signless.
struct Scalars {
  OpBuilder &builder;
  Location loc;
  Type type;
  ValueRange args;

  bool isFloat() const { return isa<FloatType>(type); }
  bool isUnsigned() const {
    return type.isUnsignedInteger() || type.isInteger(1);
  }

  template <typename Op, typename... Args>
  Value make(Args &&...operands) const {
    return Op::create(builder, loc, std::forward<Args>(operands)...);
  }
  /// The op for floats, signed or unsigned integers on both operands.
  template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
  Value pick(Value a, Value b) const {
    if (isFloat())
      return make<FloatOp>(a, b);
    return isUnsigned() ? make<UnsignedOp>(a, b) : make<SignedOp>(a, b);
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) const {
    return make<arith::CmpIOp>(predicate, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) const {
    return make<arith::CmpFOp>(predicate, a, b);
  }
  Value select(Value condition, Value a, Value b) const {
    return make<arith::SelectOp>(condition, a, b);
  }
  Value integer(Type integerType, int64_t value) const {
    return make<arith::ConstantOp>(builder.getIntegerAttr(integerType, value));
  }
  Value real(double value) const { return createF32(builder, loc, value); }
};
} // namespace

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static Value lower(nn::AddOp, const Scalars &s) {
  return s.pick<arith::AddFOp, arith::AddIOp>(s.args[0], s.args[1]);
}
static Value lower(nn::SubOp, const Scalars &s) {
  return s.pick<arith::SubFOp, arith::SubIOp>(s.args[0], s.args[1]);
}
static Value lower(nn::MulOp, const Scalars &s) {
  return s.pick<arith::MulFOp, arith::MulIOp>(s.args[0], s.args[1]);
}
static Value lower(nn::MaxOp, const Scalars &s) {
  return s.pick<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(s.args[0],
                                                                   s.args[1]);
}
static Value lower(nn::MinOp, const Scalars &s) {
  return s.pick<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(s.args[0],
                                                                   s.args[1]);
}
static Value lower(nn::PowOp, const Scalars &s) {
  return s.pick<math::PowFOp, math::IPowIOp>(s.args[0], s.args[1]);
}

/// A divisor by which every integer divides without a trap: 1 for 0 and, when
/// the quotient is -a anyway, for -1. `byZero` and `byMinusOne` say which.
static Value safeDivisor(const Scalars &s, Value b, Value &byZero,
                         Value &byMinusOne) {
  Type type = b.getType();
  Value one = s.integer(type, 1);
  byZero = s.compare(arith::CmpIPredicate::eq, b, s.integer(type, 0));
  Value safe = s.select(byZero, one, b);
  if (s.isUnsigned())
    return safe;
  byMinusOne = s.compare(arith::CmpIPredicate::eq, b, s.integer(type, -1));
  return s.select(byMinusOne, one, safe);
}

static Value lower(nn::DivOp, const Scalars &s) {
  Value a = s.args[0], b = s.args[1], byZero, byMinusOne;
  if (s.isFloat())
    return s.make<arith::DivFOp>(a, b);
  Value zero = s.integer(a.getType(), 0);
  Value safe = safeDivisor(s, b, byZero, byMinusOne);
  Value quotient =
      s.pick<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(a, safe);
  if (byMinusOne)
    quotient = s.select(byMinusOne, s.make<arith::SubIOp>(zero, a), quotient);
  return s.select(byZero, zero, quotient);
}

/// With the sign of the divisor: adds it where the signs differ.
static Value floorRemainder(const Scalars &s, Value remainder, Value b) {
  Value sum = s.pick<arith::AddFOp, arith::AddIOp>(remainder, b), differs,
        nonZero;
  if (s.isFloat()) {
    Value zero = s.real(0);
    nonZero = s.compare(arith::CmpFPredicate::UNE, remainder, zero);
    differs = s.make<arith::XOrIOp>(
        s.compare(arith::CmpFPredicate::OLT, remainder, zero),
        s.compare(arith::CmpFPredicate::OLT, b, zero));
  } else {
    Value zero = s.integer(b.getType(), 0);
    nonZero = s.compare(arith::CmpIPredicate::ne, remainder, zero);
    differs = s.compare(arith::CmpIPredicate::slt,
                        s.make<arith::XOrIOp>(remainder, b), zero);
  }
  return s.select(s.make<arith::AndIOp>(nonZero, differs), sum, remainder);
}

static Value lower(nn::ModOp op, const Scalars &s) {
  Value a = s.args[0], b = s.args[1], byZero, byMinusOne;
  if (s.isFloat()) {
    Value remainder = s.make<arith::RemFOp>(a, b);
    return op.getTruncated() ? remainder : floorRemainder(s, remainder, b);
  }
  // What divides by 1 has the remainder 0, as by 0 and by -1.
  Value safe = safeDivisor(s, b, byZero, byMinusOne);
  Value remainder =
      s.pick<arith::RemFOp, arith::RemSIOp, arith::RemUIOp>(a, safe);
  if (op.getTruncated() || s.isUnsigned())
    return remainder;
  return floorRemainder(s, remainder, b);
}

static Value lower(nn::AbsOp, const Scalars &s) {
  if (s.isFloat())
    return s.make<math::AbsFOp>(s.args[0]);
  return s.isUnsigned() ? s.args[0] : s.make<math::AbsIOp>(s.args[0]);
}
static Value lower(nn::NegOp, const Scalars &s) {
  if (s.isFloat())
    return s.make<arith::NegFOp>(s.args[0]);
  return s.make<arith::SubIOp>(s.integer(s.args[0].getType(), 0), s.args[0]);
}

static Value lower(nn::ReluOp, const Scalars &s) {
  return createMax(s.builder, s.loc, s.real(0), s.args[0]);
}
static Value lower(nn::ClampOp op, const Scalars &s) {
  Value lo = s.make<arith::ConstantOp>(op.getLoAttr());
  Value hi = s.make<arith::ConstantOp>(op.getHiAttr());
  return createMin(s.builder, s.loc, hi,
                   createMax(s.builder, s.loc, lo, s.args[0]));
}

//===----------------------------------------------------------------------===//
// Bits and truth values
//===----------------------------------------------------------------------===//

static Value lower(nn::AndOp, const Scalars &s) {
  return s.make<arith::AndIOp>(s.args[0], s.args[1]);
}
static Value lower(nn::OrOp, const Scalars &s) {
  return s.make<arith::OrIOp>(s.args[0], s.args[1]);
}
static Value lower(nn::XorOp, const Scalars &s) {
  return s.make<arith::XOrIOp>(s.args[0], s.args[1]);
}

/// Shifts by the width or more are undefined in LLVM.
template <typename ShiftOp> static Value lowerShift(const Scalars &s) {
  Value a = s.args[0], b = s.args[1];
  Type type = a.getType();
  Value zero = s.integer(type, 0);

  Value width = s.integer(type, type.getIntOrFloatBitWidth());
  Value inside = s.compare(arith::CmpIPredicate::ult, b, width);
  Value shifted = s.make<ShiftOp>(a, s.select(inside, b, zero));
  return s.select(inside, shifted, zero);
}
static Value lower(nn::ShiftLeftOp, const Scalars &s) {
  return lowerShift<arith::ShLIOp>(s);
}
static Value lower(nn::ShiftRightOp, const Scalars &s) {
  if (s.isUnsigned())
    return lowerShift<arith::ShRUIOp>(s);
  Value a = s.args[0], b = s.args[1];
  // Then only the sign is left.
  Value most = s.integer(a.getType(), a.getType().getIntOrFloatBitWidth() - 1);
  Value inside = s.compare(arith::CmpIPredicate::ult, b, most);
  return s.make<arith::ShRSIOp>(a, s.select(inside, b, most));
}

static Value lower(nn::CompareOp op, const Scalars &s) {
  Value a = s.args[0], b = s.args[1];
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  switch (op.getPredicate()) {
  case nn::Predicate::Equal:
    return s.isFloat() ? s.compare(F::OEQ, a, b) : s.compare(I::eq, a, b);
  case nn::Predicate::Less:
    return s.isFloat() ? s.compare(F::OLT, a, b)
                       : s.compare(s.isUnsigned() ? I::ult : I::slt, a, b);
  case nn::Predicate::LessEqual:
    return s.isFloat() ? s.compare(F::OLE, a, b)
                       : s.compare(s.isUnsigned() ? I::ule : I::sle, a, b);
  }
  llvm_unreachable("covered switch");
}

static Value lower(nn::SelectOp, const Scalars &s) {
  return s.select(s.args[0], s.args[1], s.args[2]);
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// A float as 64-bit integer; LLVM leaves undefined what does not fit.
static Value truncateToI64(const Scalars &s, Value x, bool isUnsigned) {
  Type i64 = s.builder.getI64Type();
  // The largest floats below 2^63 and 2^64.
  constexpr double largest = 9223371487098961920.0,
                   largestUnsigned = 18446742974197923840.0;
  Value isNumber = s.compare(arith::CmpFPredicate::ORD, x, x);
  Value number = s.select(isNumber, x, s.real(0));
  number = createMax(s.builder, s.loc, number, s.real(-9223372036854775808.0));
  Value clamped = createMin(s.builder, s.loc, number, s.real(largest));
  Value converted = s.make<arith::FPToSIOp>(i64, clamped);
  if (!isUnsigned)
    return converted;
  Value isHigh = s.compare(arith::CmpFPredicate::OGT, number, s.real(largest));
  Value high = createMin(s.builder, s.loc, number, s.real(largestUnsigned));
  high = s.select(isHigh, high, s.real(0));
  return s.select(isHigh, s.make<arith::FPToUIOp>(i64, high), converted);
}

static Value lower(nn::CastOp op, const Scalars &s) {
  Value x = s.args[0];
  Type wanted = getElementTypeOrSelf(op.getType());
  if (wanted == s.type)
    return x;
  if (wanted.isInteger(1))
    return s.isFloat() ? s.compare(arith::CmpFPredicate::UNE, x, s.real(0))
                       : s.compare(arith::CmpIPredicate::ne, x,
                                   s.integer(x.getType(), 0));
  if (isa<FloatType>(wanted))
    return s.isUnsigned() ? s.make<arith::UIToFPOp>(wanted, x)
                          : s.make<arith::SIToFPOp>(wanted, x);
  Type storage = s.builder.getIntegerType(wanted.getIntOrFloatBitWidth());
  bool isUnsigned = s.isUnsigned();
  if (s.isFloat()) {
    x = truncateToI64(s, x, wanted.isUnsignedInteger(64));
    isUnsigned = false;
  }
  unsigned from = x.getType().getIntOrFloatBitWidth(),
           to = storage.getIntOrFloatBitWidth();
  if (from > to)
    return s.make<arith::TruncIOp>(storage, x);
  return createExtend(s.builder, s.loc, x, storage, !isUnsigned);
}

//===----------------------------------------------------------------------===//
// Functions of one float
//===----------------------------------------------------------------------===//

#define CIM_LOWER_FUNCTION(OP, SCALAR)                                         \
  static Value lower(nn::OP, const Scalars &s) {                               \
    return s.make<math::SCALAR>(s.args[0]);                                    \
  }
CIM_LOWER_FUNCTION(FloorOp, FloorOp)
CIM_LOWER_FUNCTION(CeilOp, CeilOp)
CIM_LOWER_FUNCTION(RoundOp, RoundEvenOp)
CIM_LOWER_FUNCTION(SqrtOp, SqrtOp)
CIM_LOWER_FUNCTION(ExpOp, ExpOp)
CIM_LOWER_FUNCTION(LogOp, LogOp)
CIM_LOWER_FUNCTION(ErfOp, ErfOp)
CIM_LOWER_FUNCTION(SinOp, SinOp)
CIM_LOWER_FUNCTION(CosOp, CosOp)
CIM_LOWER_FUNCTION(TanOp, TanOp)
CIM_LOWER_FUNCTION(AsinOp, AsinOp)
CIM_LOWER_FUNCTION(AcosOp, AcosOp)
CIM_LOWER_FUNCTION(AtanOp, AtanOp)
CIM_LOWER_FUNCTION(SinhOp, SinhOp)
CIM_LOWER_FUNCTION(CoshOp, CoshOp)
CIM_LOWER_FUNCTION(TanhOp, TanhOp)
CIM_LOWER_FUNCTION(AsinhOp, AsinhOp)
CIM_LOWER_FUNCTION(AcoshOp, AcoshOp)
CIM_LOWER_FUNCTION(AtanhOp, AtanhOp)
#undef CIM_LOWER_FUNCTION

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

template <typename Op> struct LowerElementwise : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type =
        this->getTypeConverter()->template convertType<RankedTensorType>(
            op.getType());
    Type element = getElementTypeOrSelf(op->getOperand(0).getType());
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, op.getLoc(), adaptor.getOperands(), type,
                [&](OpBuilder &builder, Location loc, ValueRange args) {
                  return lower(op, Scalars{builder, loc, element, args});
                }));
    return success();
  }
};

struct LowerBatchNorm : OpConversionPattern<nn::BatchNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(nn::BatchNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    // Statistics lie along dimension 1.
    SmallVector<Value> operands{adaptor.getInput()};
    for (Value statistic : adaptor.getOperands().drop_front()) {
      SmallVector<int64_t> shape(type.getRank() - 1, 1);
      shape[0] = type.getDimSize(1);
      operands.push_back(
          createReshape(rewriter, op.getLoc(), statistic, shape));
    }
    rewriter.replaceOp(
        op,
        createElementwise(
            rewriter, op.getLoc(), operands, type,
            [&](OpBuilder &builder, Location loc, ValueRange args) -> Value {
              Value epsilon =
                  arith::ConstantOp::create(builder, loc, op.getEpsilonAttr());
              Value variance =
                  arith::AddFOp::create(builder, loc, args[4], epsilon);
              Value deviation = math::SqrtOp::create(builder, loc, variance);
              Value centred =
                  arith::SubFOp::create(builder, loc, args[0], args[3]);
              Value normal =
                  arith::DivFOp::create(builder, loc, centred, deviation);
              Value scaled =
                  arith::MulFOp::create(builder, loc, normal, args[1]);
              return arith::AddFOp::create(builder, loc, scaled, args[2]);
            }));
    return success();
  }
};

template <typename... Ops>
void addElementwise(const TypeConverter &converter,
                    RewritePatternSet &patterns) {
  patterns.add<LowerElementwise<Ops>...>(converter, patterns.getContext());
}

} // namespace

void cim::populateElementwisePatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  addElementwise<nn::AddOp, nn::SubOp, nn::MulOp, nn::DivOp, nn::PowOp,
                 nn::ModOp, nn::MaxOp, nn::MinOp, nn::AndOp, nn::OrOp,
                 nn::XorOp, nn::ShiftLeftOp, nn::ShiftRightOp, nn::CompareOp,
                 nn::SelectOp, nn::CastOp, nn::ReluOp, nn::ClampOp, nn::AbsOp,
                 nn::NegOp>(converter, patterns);
  addElementwise<nn::FloorOp, nn::CeilOp, nn::RoundOp, nn::SqrtOp, nn::ExpOp,
                 nn::LogOp, nn::ErfOp, nn::SinOp, nn::CosOp, nn::TanOp,
                 nn::AsinOp, nn::AcosOp, nn::AtanOp, nn::SinhOp, nn::CoshOp,
                 nn::TanhOp, nn::AsinhOp, nn::AcoshOp, nn::AtanhOp>(converter,
                                                                    patterns);
  patterns.add<LowerBatchNorm>(converter, patterns.getContext());
}
