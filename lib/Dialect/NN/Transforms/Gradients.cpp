// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reverse-mode differentiation: which ops take part, in which order.
#include "cim/Dialect/NN/Transforms/Gradients.h"
#include "GradientRules.h"
#include "cim/Dialect/NN/Transforms/Passes.h"

namespace cim::nn {
#define GEN_PASS_DEF_DIFFERENTIATEPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

/// Sums over the elements that one of `shape` was broadcast to.
static Value sumTo(TensorBuilder &b, Value value, ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> from = shapeOf(value);
  int64_t added = from.size() - shape.size();
  SmallVector<int64_t> axes;
  for (int64_t dim = 0; dim < static_cast<int64_t>(from.size()); ++dim)
    if (from[dim] != 1 && (dim < added || shape[dim - added] == 1))
      axes.push_back(dim);
  return b.reshape(axes.empty() ? value : b.sum(value, axes), shape);
}

void Gradients::add(Value value, llvm::function_ref<Value()> make) {
  if (!isWanted(value))
    return;
  Value gradient = sumTo(*this, make(), shapeOf(value)), &sum = sums[value];
  sum = sum ? this->make<AddOp>(sum, gradient) : gradient;
}

static GradientRules createRules() {
  GradientRules rules;
  addBinaryRules(rules);
  addUnaryRules(rules);
  addMovementRules(rules);
  addReductionRules(rules);
  addPoolingRules(rules);
  addProductRules(rules);
  addMvmRules(rules);
  return rules;
}

static bool hasGradient(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<Float32Type, quant::QuantizedType>(type.getElementType());
}

/// Whether `op`, or an op in its regions, reads what has a gradient.
static bool readsWanted(Operation *op, const Gradients &gradients) {
  auto check = [&](Operation *inner) {
    return llvm::any_of(inner->getOperands(),
                        [&](Value v) { return gradients.isWanted(v); })
               ? WalkResult::interrupt()
               : WalkResult::advance();
  };
  return op->walk(check).wasInterrupted();
}

/// Marks what is computed from `values`; returns its ops in program order.
static SmallVector<Operation *> followForward(Block &block, ValueRange values,
                                              Gradients &gradients) {
  for (Value value : values)
    gradients.setWanted(value);
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator()) {
    if (!readsWanted(&op, gradients))
      continue;
    ops.push_back(&op);
    for (Value result : op.getResults())
      if (hasGradient(result))
        gradients.setWanted(result);
  }
  return ops;
}

/// Hands the gradient of the results of `op` on to its operands.
static LogicalResult differentiate(Operation *op, const GradientRules &rules,
                                   Gradients &gradients) {
  if (llvm::none_of(op->getResults(),
                    [&](Value result) { return gradients.get(result); }))
    return success();
  GradientRules::Rule rule = rules.lookup(op);
  if (!rule)
    return op->emitOpError("has no gradient");
  gradients.setLoc(op->getLoc());
  return rule(op, gradients.get(op->getResult(0)), gradients);
}

FailureOr<SmallVector<Value>>
nn::createGradients(func::FuncOp function, ValueRange of, ValueRange values) {
  Block &block = function.front();
  Gradients gradients(function.getLoc(), block.getTerminator());
  SmallVector<Operation *> ops = followForward(block, values, gradients);
  for (Value value : of) {
    gradients.setLoc(value.getLoc());
    gradients.add(value, [&] { return gradients.splat(shapeOf(value), 1); });
  }
  GradientRules rules = createRules();
  for (Operation *op : llvm::reverse(ops))
    if (failed(differentiate(op, rules, gradients)))
      return failure();
  SmallVector<Value> results;
  for (Value value : values) {
    Value gradient = gradients.get(value);
    gradients.setLoc(value.getLoc());
    results.push_back(gradient ? gradient : gradients.splat(shapeOf(value), 0));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// nn-differentiate
//===----------------------------------------------------------------------===//

static bool isFloat(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getElementType().isF32();
}

/// Returns `gradients`, which are called as the arguments that they belong to.
static void replaceResults(func::FuncOp function, ArrayRef<Value> gradients,
                           ArrayRef<Value> arguments) {
  Operation *terminator = function.front().getTerminator();
  terminator->setOperands(gradients);
  function.removeResAttrsAttr();
  function.setFunctionType(FunctionType::get(function.getContext(),
                                             function.getArgumentTypes(),
                                             terminator->getOperandTypes()));
  constexpr StringLiteral nameAttr = "nn.name";
  for (auto [i, argument] : llvm::enumerate(arguments))
    if (Attribute name = function.getArgAttr(
            cast<BlockArgument>(argument).getArgNumber(), nameAttr))
      function.setResultAttr(i, nameAttr, name);
}

namespace {

struct DifferentiatePass : nn::impl::DifferentiatePassBase<DifferentiatePass> {
  using DifferentiatePassBase::DifferentiatePassBase;

  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || !main.getBody().hasOneBlock() ||
        !isa<func::ReturnOp>(main.front().getTerminator())) {
      getOperation().emitError("expected a function '@main' of one block that "
                               "returns");
      return signalPassFailure();
    }
    SmallVector<Value> results, arguments;
    llvm::copy_if(main.front().getTerminator()->getOperands(),
                  std::back_inserter(results), isFloat);
    llvm::copy_if(main.getArguments(), std::back_inserter(arguments), isFloat);
    FailureOr<SmallVector<Value>> gradients =
        createGradients(main, results, arguments);
    if (failed(gradients))
      return signalPassFailure();
    replaceResults(main, *gradients, arguments);
  }
};

} // namespace
