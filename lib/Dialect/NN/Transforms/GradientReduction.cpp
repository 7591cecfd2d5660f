// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradients of reductions and of nn.softmax.
#include "GradientRules.h"

using namespace mlir;
using namespace cim::nn;

/// The elements that equal their result share its gradient.
static Value shareAmongEqual(Value input, Value result, Value gradient,
                             ArrayRef<int64_t> axes, Gradients &gradients) {
  Value isEqual = gradients.compare(Predicate::Equal, input, result);
  Value count =
      gradients.sum(gradients.keepWhere(isEqual, gradients.scalar(1)), axes);
  return gradients.keepWhere(isEqual, gradients.make<DivOp>(gradient, count));
}

static LogicalResult differentiateReduce(ReduceOp op, Value gradient,
                                         Gradients &gradients) {
  Reduction kind = op.getKind();
  if (kind == Reduction::Prod)
    return op.emitOpError("has no gradient: it is a product");
  Value input = op.getInput();
  SmallVector<int64_t> kept(shapeOf(input));
  int64_t terms = 1;
  for (int64_t axis : op.getAxes())
    terms *= std::exchange(kept[axis], 1);
  gradient = gradients.reshape(gradient, kept);
  gradients.add(input, [&] {
    if (kind == Reduction::Max || kind == Reduction::Min)
      return shareAmongEqual(input, gradients.reshape(op.getResult(), kept),
                             gradient, op.getAxes(), gradients);
    if (kind == Reduction::Mean)
      gradient = gradients.make<DivOp>(gradient, gradients.scalar(terms));
    return gradients.broadcast(gradient, shapeOf(input));
  });
  return success();
}

/// y (g - sum(g y))
static void differentiateSoftmax(SoftmaxOp op, Value gradient,
                                 Gradients &gradients) {
  Value result = op.getResult();
  gradients.add(op.getInput(), [&] {
    Value mean = gradients.sum(gradients.make<MulOp>(gradient, result),
                               static_cast<int64_t>(op.getAxis()));
    return gradients.make<MulOp>(result, gradients.make<SubOp>(gradient, mean));
  });
}

void cim::nn::addReductionRules(GradientRules &rules) {
  rules.add<ReduceOp>(differentiateReduce);
  rules.add<SoftmaxOp>(differentiateSoftmax);
}
