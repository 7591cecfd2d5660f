// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradients of ops with two operands, which may be broadcast.
#include "GradientRules.h"

using namespace mlir;
using namespace cim::nn;

static void differentiateAdd(AddOp op, Value gradient, Gradients &gradients) {
  gradients.add(op.getA(), [&] { return gradient; });
  gradients.add(op.getB(), [&] { return gradient; });
}

static void differentiateSub(SubOp op, Value gradient, Gradients &gradients) {
  gradients.add(op.getA(), [&] { return gradient; });
  gradients.add(op.getB(), [&] { return gradients.make<NegOp>(gradient); });
}

static void differentiateMul(MulOp op, Value gradient, Gradients &gradients) {
  gradients.add(op.getA(),
                [&] { return gradients.make<MulOp>(gradient, op.getB()); });
  gradients.add(op.getB(),
                [&] { return gradients.make<MulOp>(gradient, op.getA()); });
}

/// a / b has the derivatives 1 / b and -(a / b) / b.
static void differentiateDiv(DivOp op, Value gradient, Gradients &gradients) {
  auto share = [&] { return gradients.make<DivOp>(gradient, op.getB()); };
  gradients.add(op.getA(), share);
  gradients.add(op.getB(), [&] {
    return gradients.make<NegOp>(
        gradients.make<MulOp>(share(), op.getResult()));
  });
}

/// a^b has the derivative b a^(b - 1) where b does not vary.
static LogicalResult differentiatePow(PowOp op, Value gradient,
                                      Gradients &gradients) {
  if (gradients.isWanted(op.getB()))
    return op.emitOpError("has no gradient with respect to its exponent");
  gradients.add(op.getA(), [&] {
    Value exponent = gradients.make<SubOp>(op.getB(), gradients.scalar(1));
    Value slope = gradients.make<MulOp>(
        op.getB(), gradients.make<PowOp>(op.getA(), exponent));
    return gradients.make<MulOp>(gradient, slope);
  });
  return success();
}

/// One operand has the gradient where `isFirst` holds, the other one elsewhere.
static void choose(Value isFirst, Value first, Value second, Value gradient,
                   Gradients &gradients) {
  gradients.add(first, [&] { return gradients.keepWhere(isFirst, gradient); });
  gradients.add(second, [&] {
    return gradients.make<SelectOp>(isFirst, gradients.scalar(0), gradient);
  });
}

static void differentiateMax(MaxOp op, Value gradient, Gradients &gradients) {
  choose(gradients.compare(Predicate::LessEqual, op.getB(), op.getA()),
         op.getA(), op.getB(), gradient, gradients);
}

static void differentiateMin(MinOp op, Value gradient, Gradients &gradients) {
  choose(gradients.compare(Predicate::LessEqual, op.getA(), op.getB()),
         op.getA(), op.getB(), gradient, gradients);
}

static void differentiateSelect(SelectOp op, Value gradient,
                                Gradients &gradients) {
  choose(op.getCondition(), op.getA(), op.getB(), gradient, gradients);
}

void cim::nn::addBinaryRules(GradientRules &rules) {
  rules.add<AddOp>(differentiateAdd);
  rules.add<SubOp>(differentiateSub);
  rules.add<MulOp>(differentiateMul);
  rules.add<DivOp>(differentiateDiv);
  rules.add<PowOp>(differentiatePow);
  rules.add<MaxOp>(differentiateMax);
  rules.add<MinOp>(differentiateMin);
  rules.add<SelectOp>(differentiateSelect);
}
