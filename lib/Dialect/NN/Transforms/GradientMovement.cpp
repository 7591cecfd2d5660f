// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradients of data movement: movement back.
#include "GradientRules.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace cim::nn;

static void differentiateReshape(ReshapeOp op, Value gradient,
                                 Gradients &gradients) {
  gradients.add(op.getInput(), [&] {
    return gradients.reshape(gradient, shapeOf(op.getInput()));
  });
}

static void differentiateTranspose(TransposeOp op, Value gradient,
                                   Gradients &gradients) {
  gradients.add(op.getInput(), [&] {
    return gradients.transpose(gradient,
                               invertPermutationVector(op.getPermutation()));
  });
}

static void differentiateConcat(ConcatOp op, Value gradient,
                                Gradients &gradients) {
  size_t rank = shapeOf(gradient).size();
  SmallVector<int64_t> starts(rank, 0), steps(rank, 1);
  for (Value input : op.getInputs()) {
    gradients.add(input, [&] {
      return gradients.slice(gradient, starts, shapeOf(input), steps);
    });
    starts[op.getAxis()] += shapeOf(input)[op.getAxis()];
  }
}

static void differentiatePad(PadOp op, Value gradient, Gradients &gradients) {
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  SmallVector<int64_t> steps(shape.size(), 1);
  gradients.add(op.getInput(), [&] {
    return gradients.slice(gradient, op.getPads().take_front(shape.size()),
                           shape, steps);
  });
}

static void differentiateSlice(SliceOp op, Value gradient,
                               Gradients &gradients) {
  SmallVector<int64_t> starts(op.getStarts()), steps(op.getSteps()), reversed;
  for (size_t dim = 0; dim < steps.size(); ++dim)
    if (steps[dim] < 0) {
      starts[dim] += (op.getSizes()[dim] - 1) * steps[dim];
      steps[dim] = -steps[dim];
      reversed.push_back(dim);
    }
  gradients.add(op.getInput(), [&] {
    return gradients.place(gradients.reverse(gradient, reversed),
                           shapeOf(op.getInput()), starts, steps);
  });
}

static void differentiateBroadcast(BroadcastOp op, Value gradient,
                                   Gradients &gradients) {
  gradients.add(op.getInput(), [&] { return gradient; });
}

/// Indices of `extent` elements, those out of bounds as the nearest.
static Value limitIndices(TensorBuilder &b, Value indices, int64_t extent) {
  auto element = cast<IntegerType>(
      cast<RankedTensorType>(indices.getType()).getElementType());
  auto bound = [&](int64_t value) {
    return b.make<ConstantOp>(DenseElementsAttr::get(
        RankedTensorType::get({}, element),
        llvm::APInt(element.getWidth(), value, /*isSigned=*/true)));
  };
  return b.make<MinOp>(b.make<MaxOp>(indices, bound(-extent)),
                       bound(extent - 1));
}

/// nn.gather reads the nearest element for an index that is out of bounds;
/// nn.scatter would drop it.
static void differentiateGather(GatherOp op, Value gradient,
                                Gradients &gradients) {
  ArrayRef<int64_t> shape = shapeOf(op.getData());
  int64_t extent = shape[op.getAxis()];
  gradients.add(op.getData(), [&]() -> Value {
    Value indices = limitIndices(gradients, op.getIndices(), extent);
    return gradients.make<ScatterOp>(gradients.splat(shape, 0), indices,
                                     gradient, op.getAxis(), Combine::Add);
  });
}

void cim::nn::addMovementRules(GradientRules &rules) {
  rules.add<ReshapeOp>(differentiateReshape);
  rules.add<TransposeOp>(differentiateTranspose);
  rules.add<ConcatOp>(differentiateConcat);
  rules.add<PadOp>(differentiatePad);
  rules.add<SliceOp>(differentiateSlice);
  rules.add<BroadcastOp>(differentiateBroadcast);
  rules.add<GatherOp>(differentiateGather);
}
