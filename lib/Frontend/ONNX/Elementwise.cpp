// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise arithmetic, bounds and functions of one number.
#include "NodeBinder.h"
#include <cfloat>

using namespace mlir;

namespace cim::onnx {

static Type elementOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult importBinary(NodeBinder &b) {
  Value left = b.numberInput(0), right = b.numberInput(1);
  return b.result(b.create<OpTy>(left, right));
}

template <typename OpTy> static LogicalResult importUnary(NodeBinder &b) {
  return b.result(b.create<OpTy>(b.floatInput(0)));
}

template <typename OpTy> static LogicalResult importNumberUnary(NodeBinder &b) {
  return b.result(b.create<OpTy>(b.numberInput(0)));
}

/// Any number of operands, combined from the first to the last.
template <typename OpTy> static Value combineAll(NodeBinder &b) {
  Value result = b.numberInput(0);
  for (size_t i = 1; i < b.numInputs(); ++i)
    result = b.create<OpTy>(result, b.numberInput(i));
  return result;
}

template <typename OpTy> static LogicalResult importVariadic(NodeBinder &b) {
  Value all = combineAll<OpTy>(b);
  return b.numInputs() == 1 ? b.forward(0) : b.result(all);
}

static LogicalResult importMean(NodeBinder &b) {
  Value sum = combineAll<nn::AddOp>(b);
  Value count = b.createScalar(float(b.numInputs()));
  return b.result(b.create<nn::DivOp>(sum, count));
}

/// The result has the base's type; exponents of another type are cast, and
/// integers with a float exponent are computed as floats.
static LogicalResult importPow(NodeBinder &b) {
  Value base = b.numberInput(0), exponent = b.numberInput(1);
  if (b.failed())
    return failure();
  Type element = elementOf(base), common = element;
  if (isa<FloatType>(elementOf(exponent)))
    common = elementOf(exponent);
  Value power = b.create<nn::PowOp>(b.createCast(base, common),
                                    b.createCast(exponent, common));
  return b.result(b.createCast(power, element));
}

/// With fmod the sign is the dividend's, else the divisor's.
static LogicalResult importMod(NodeBinder &b) {
  bool truncated = b.getBool("fmod", false);
  Value left = b.numberInput(0), right = b.numberInput(1);
  return b.result(b.create<nn::ModOp>(left, right, truncated));
}

static LogicalResult importReciprocal(NodeBinder &b) {
  Value x = b.floatInput(0);
  return b.result(b.create<nn::DivOp>(b.createScalar(1.0f), x));
}

/// 1, -1, or x itself: zero and NaN.
static LogicalResult importSign(NodeBinder &b) {
  Value x = b.numberInput(0);
  if (b.failed())
    return failure();
  Type element = elementOf(x);
  Value zero = b.createScalar(element, 0);
  Value isPositive = b.create<nn::CompareOp>(zero, x, nn::Predicate::Less);
  Value isNegative = b.create<nn::CompareOp>(x, zero, nn::Predicate::Less);
  Value rest =
      b.create<nn::SelectOp>(isNegative, b.createScalar(element, -1), x);
  return b.result(
      b.create<nn::SelectOp>(isPositive, b.createScalar(element, 1), rest));
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

static LogicalResult importRelu(NodeBinder &b) {
  Value x = b.numberInput(0);
  if (b.failed())
    return failure();
  if (isa<FloatType>(elementOf(x)))
    return b.result(b.create<nn::ReluOp>(x));
  return b.result(b.create<nn::MaxOp>(x, b.createScalar(elementOf(x), 0)));
}

/// A bound left out does not bind; [0, inf) is a relu.
static LogicalResult clampFloats(NodeBinder &b, Value x,
                                 std::optional<float> lo,
                                 std::optional<float> hi) {
  // Exporters write "no bound" as the largest float, or infinity.
  if (lo && *lo <= -FLT_MAX)
    lo.reset();
  if (hi && *hi >= FLT_MAX)
    hi.reset();
  if (b.failed())
    return failure();
  if (!lo && !hi)
    return b.forward(0);
  if (lo == 0.0f && !hi)
    return b.result(b.create<nn::ReluOp>(x));
  float low = lo.value_or(-FLT_MAX), high = hi.value_or(FLT_MAX);
  // The upper bound wins; NaN bounds nothing that a network wants.
  if (std::isnan(low) || std::isnan(high))
    return b.error() << "expected bounds that are numbers, but got " << low
                     << " and " << high;
  return b.result(b.create<nn::ClampOp>(x, llvm::APFloat(std::min(low, high)),
                                        llvm::APFloat(high)));
}

static LogicalResult importClipAttributes(NodeBinder &b) {
  return clampFloats(b, b.floatInput(0), b.getFloat("min", -FLT_MAX),
                     b.getFloat("max", FLT_MAX));
}

static LogicalResult importClip(NodeBinder &b) {
  Value x = b.numberInput(0);
  if (b.failed())
    return failure();
  auto isKnown = [&](size_t i) { return !b.hasInput(i) || b.host(i); };
  if (isa<FloatType>(elementOf(x)) && isKnown(1) && isKnown(2)) {
    std::optional<float> lo, hi;
    if (b.hasInput(1))
      lo = b.constantNumber(1, "min");
    if (b.hasInput(2))
      hi = b.constantNumber(2, "max");
    return clampFloats(b, x, lo, hi);
  }
  Value result = x;
  if (b.hasInput(1))
    result = b.create<nn::MaxOp>(result, b.numberInput(1));
  if (b.hasInput(2))
    result = b.create<nn::MinOp>(result, b.numberInput(2));
  return result == x ? b.forward(0) : b.result(result);
}

void registerElementwise(HandlerTable &table) {
  const OpSummary numbers{Place::Digital, "with broadcasting"};
  table.add("Add", numbers, {{7, importBinary<nn::AddOp>}});
  table.add("Sub", numbers, {{7, importBinary<nn::SubOp>}});
  table.add("Mul", numbers, {{7, importBinary<nn::MulOp>}});
  table.add("Div", numbers, {{7, importBinary<nn::DivOp>}});
  table.add("Pow", numbers, {{7, importPow}});
  table.add("Mod", numbers, {{10, importMod}});
  const OpSummary variadic{Place::Digital, "any number of operands"};
  table.add("Sum", variadic, {{6, importVariadic<nn::AddOp>}});
  table.add("Max", variadic, {{6, importVariadic<nn::MaxOp>}});
  table.add("Min", variadic, {{6, importVariadic<nn::MinOp>}});
  table.add("Mean", variadic, {{6, importMean}});
  table.add("Relu", {Place::Digital, ""}, {{6, importRelu}});
  table.add("Clip", {Place::Digital, ""},
            {{6, importClipAttributes}, {11, importClip}});
  const OpSummary plain{Place::Digital, ""};
  table.add("Abs", plain, {{6, importNumberUnary<nn::AbsOp>}});
  table.add("Neg", plain, {{6, importNumberUnary<nn::NegOp>}});
  table.add("Sign", plain, {{9, importSign}});
  table.add("Reciprocal", plain, {{6, importReciprocal}});
  table.add("Floor", plain, {{6, importUnary<nn::FloorOp>}});
  table.add("Ceil", plain, {{6, importUnary<nn::CeilOp>}});
  table.add("Round", plain, {{11, importUnary<nn::RoundOp>}});
  table.add("Sqrt", plain, {{6, importUnary<nn::SqrtOp>}});
  table.add("Exp", plain, {{6, importUnary<nn::ExpOp>}});
  table.add("Log", plain, {{6, importUnary<nn::LogOp>}});
  table.add("Erf", plain, {{9, importUnary<nn::ErfOp>}});
  table.add("Sin", plain, {{7, importUnary<nn::SinOp>}});
  table.add("Cos", plain, {{7, importUnary<nn::CosOp>}});
  table.add("Tan", plain, {{7, importUnary<nn::TanOp>}});
  table.add("Asin", plain, {{7, importUnary<nn::AsinOp>}});
  table.add("Acos", plain, {{7, importUnary<nn::AcosOp>}});
  table.add("Atan", plain, {{7, importUnary<nn::AtanOp>}});
  table.add("Sinh", plain, {{9, importUnary<nn::SinhOp>}});
  table.add("Cosh", plain, {{9, importUnary<nn::CoshOp>}});
  table.add("Tanh", plain, {{6, importUnary<nn::TanhOp>}});
  table.add("Asinh", plain, {{9, importUnary<nn::AsinhOp>}});
  table.add("Acosh", plain, {{9, importUnary<nn::AcoshOp>}});
  table.add("Atanh", plain, {{9, importUnary<nn::AtanhOp>}});
}

} // namespace cim::onnx
