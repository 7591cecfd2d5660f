// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradients of element-wise ops with one operand that varies.
#include "GradientRules.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace cim::nn;

//===----------------------------------------------------------------------===//
// Smooth functions
//===----------------------------------------------------------------------===//

/// Of the operand x and the result y of an op, what makes the gradient of x
/// out of that of y.
using Derivative = Value (*)(Value gradient, Value x, Value y, Gradients &);

/// The gradient divided by or multiplied with something.
template <typename By>
static Value scale(Value gradient, Value factor, Gradients &gradients) {
  return gradients.make<By>(gradient, factor);
}

/// offset + sign * x^2
static Value offsetSquare(float offset, Value x, Gradients &gradients,
                          bool isNegative = false) {
  Value square = gradients.make<MulOp>(x, x), start = gradients.scalar(offset);
  return isNegative ? gradients.make<SubOp>(start, square)
                    : gradients.make<AddOp>(square, start);
}

/// 2 / sqrt(pi) e^(-x^2)
static Value derivativeOfErf(Value gradient, Value x, Value, Gradients &g) {
  Value bell = g.make<ExpOp>(offsetSquare(0, x, g, /*isNegative=*/true));
  Value factor = g.scalar(2 * llvm::numbers::inv_sqrtpif);
  return g.make<MulOp>(gradient, g.make<MulOp>(bell, factor));
}

template <typename Op>
static void addSmoothRule(GradientRules &rules, Derivative derivative) {
  rules.add<Op>([=](Op op, Value gradient, Gradients &gradients) {
    gradients.add(op.getInput(), [&] {
      return derivative(gradient, op.getInput(), op.getResult(), gradients);
    });
  });
}

#define CIM_DERIVATIVE(OP, EXPRESSION)                                         \
  addSmoothRule<OP>(rules,                                                     \
                    [](Value gradient, Value x, Value y,                       \
                       Gradients &g) -> Value { return EXPRESSION; })

static void addSmoothRules(GradientRules &rules) {
  addSmoothRule<ErfOp>(rules, derivativeOfErf);
  CIM_DERIVATIVE(NegOp, g.make<NegOp>(gradient));
  CIM_DERIVATIVE(ExpOp, scale<MulOp>(gradient, y, g));
  CIM_DERIVATIVE(LogOp, scale<DivOp>(gradient, x, g));
  CIM_DERIVATIVE(SqrtOp, scale<DivOp>(gradient, g.make<AddOp>(y, y), g));
  CIM_DERIVATIVE(SinOp, scale<MulOp>(gradient, g.make<CosOp>(x), g));
  CIM_DERIVATIVE(CosOp,
                 scale<MulOp>(g.make<NegOp>(gradient), g.make<SinOp>(x), g));
  CIM_DERIVATIVE(TanOp, scale<MulOp>(gradient, offsetSquare(1, y, g), g));
  CIM_DERIVATIVE(AtanOp, scale<DivOp>(gradient, offsetSquare(1, x, g), g));
  CIM_DERIVATIVE(
      AsinOp,
      scale<DivOp>(gradient, g.make<SqrtOp>(offsetSquare(1, x, g, true)), g));
  CIM_DERIVATIVE(AcosOp,
                 scale<DivOp>(g.make<NegOp>(gradient),
                              g.make<SqrtOp>(offsetSquare(1, x, g, true)), g));
  CIM_DERIVATIVE(SinhOp, scale<MulOp>(gradient, g.make<CoshOp>(x), g));
  CIM_DERIVATIVE(CoshOp, scale<MulOp>(gradient, g.make<SinhOp>(x), g));
  CIM_DERIVATIVE(TanhOp,
                 scale<MulOp>(gradient, offsetSquare(1, y, g, true), g));
  CIM_DERIVATIVE(
      AsinhOp,
      scale<DivOp>(gradient, g.make<SqrtOp>(offsetSquare(1, x, g)), g));
  CIM_DERIVATIVE(
      AcoshOp,
      scale<DivOp>(gradient, g.make<SqrtOp>(offsetSquare(-1, x, g)), g));
  CIM_DERIVATIVE(AtanhOp,
                 scale<DivOp>(gradient, offsetSquare(1, x, g, true), g));
}
#undef CIM_DERIVATIVE

//===----------------------------------------------------------------------===//
// Kinks and roundings
//===----------------------------------------------------------------------===//

/// Rounding counts as the identity.
template <typename Op>
static void passOn(Op op, Value gradient, Gradients &gradients) {
  gradients.add(op.getInput(), [&] { return gradient; });
}

static void differentiateRelu(ReluOp op, Value gradient, Gradients &gradients) {
  Value isOn =
      gradients.compare(Predicate::Less, gradients.scalar(0), op.getInput());
  gradients.add(op.getInput(),
                [&] { return gradients.keepWhere(isOn, gradient); });
}

/// The sign, 0 at 0.
static void differentiateAbs(AbsOp op, Value gradient, Gradients &gradients) {
  Value x = op.getInput(), zero = gradients.scalar(0);
  Value isNegative = gradients.compare(Predicate::Less, x, zero),
        isPositive = gradients.compare(Predicate::Less, zero, x);
  gradients.add(x, [&] {
    return gradients.make<SelectOp>(isNegative, gradients.make<NegOp>(gradient),
                                    gradients.keepWhere(isPositive, gradient));
  });
}

/// Within the range, limits included.
static void differentiateClamp(ClampOp op, Value gradient,
                               Gradients &gradients) {
  Value isKept =
      gradients.compare(Predicate::Equal, op.getInput(), op.getResult());
  gradients.add(op.getInput(),
                [&] { return gradients.keepWhere(isKept, gradient); });
}

/// What the smallest and the largest integer of a type stand for, in a shape
/// that broadcasts to `rank` dimensions.
static std::pair<Value, Value>
createLimits(quant::QuantizedType type, int64_t rank, Gradients &gradients) {
  SmallVector<double> scales;
  SmallVector<int64_t> zeroPoints, shape;
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(type)) {
    scales = {uniform.getScale()};
    zeroPoints = {uniform.getZeroPoint()};
  } else {
    auto perAxis = cast<quant::UniformQuantizedPerAxisType>(type);
    llvm::append_range(scales, perAxis.getScales());
    llvm::append_range(zeroPoints, perAxis.getZeroPoints());
    shape.assign(rank - perAxis.getQuantizedDimension(), 1);
    shape[0] = scales.size();
  }
  SmallVector<float> least, most;
  for (auto [scale, zeroPoint] : llvm::zip_equal(scales, zeroPoints)) {
    least.push_back(scale * double(type.getStorageTypeMin() - zeroPoint));
    most.push_back(scale * double(type.getStorageTypeMax() - zeroPoint));
  }
  return {gradients.constant(shape, least, "gradient"),
          gradients.constant(shape, most, "gradient")};
}

static void differentiateQuantize(QuantizeOp op, Value gradient,
                                  Gradients &gradients) {
  Value x = op.getInput();
  auto [least, most] =
      createLimits(cast<quant::QuantizedType>(op.getType().getElementType()),
                   shapeOf(x).size(), gradients);
  Value limited = gradients.make<MinOp>(gradients.make<MaxOp>(x, least), most);
  Value isKept = gradients.compare(Predicate::Equal, x, limited);
  gradients.add(x, [&] { return gradients.keepWhere(isKept, gradient); });
}

/// Stored statistics do not vary.
static LogicalResult differentiateBatchNorm(BatchNormOp op, Value gradient,
                                            Gradients &gradients) {
  for (Value statistic : llvm::drop_begin(op->getOperands()))
    if (gradients.isWanted(statistic))
      return op.emitOpError("has no gradient with respect to its statistics");
  Value epsilon = gradients.scalar(op.getEpsilon().convertToFloat());
  Value deviation =
      gradients.make<SqrtOp>(gradients.make<AddOp>(op.getVariance(), epsilon));
  SmallVector<int64_t> shape(shapeOf(op.getInput()).size() - 1, 1);
  shape[0] = shapeOf(op.getScale())[0];
  gradients.add(op.getInput(), [&] {
    Value factor = gradients.make<DivOp>(op.getScale(), deviation);
    return gradients.make<MulOp>(gradient, gradients.reshape(factor, shape));
  });
  return success();
}

void cim::nn::addUnaryRules(GradientRules &rules) {
  addSmoothRules(rules);
  rules.add<FloorOp>(passOn<FloorOp>);
  rules.add<CeilOp>(passOn<CeilOp>);
  rules.add<RoundOp>(passOn<RoundOp>);
  rules.add<DequantizeOp>(passOn<DequantizeOp>);
  rules.add<QuantizeOp>(differentiateQuantize);
  rules.add<ReluOp>(differentiateRelu);
  rules.add<AbsOp>(differentiateAbs);
  rules.add<ClampOp>(differentiateClamp);
  rules.add<BatchNormOp>(differentiateBatchNorm);
}
