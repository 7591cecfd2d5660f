// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-set-batch: another number of samples per call.
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace cim::nn {
#define GEN_PASS_DEF_SETBATCHPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

static constexpr StringLiteral batchAttrName = "nn.batch";

int64_t nn::getBatch(ModuleOp module) {
  if (auto batch = module->getAttrOfType<IntegerAttr>(batchAttrName))
    return batch.getInt();
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.getNumArguments() == 0)
    return 0;
  auto type = dyn_cast<RankedTensorType>(main.getArgumentTypes()[0]);
  return type && type.getRank() > 0 ? type.getDimSize(0) : 0;
}

namespace {

/// Walks a function in program order; `batched` holds the values whose leading
/// dimension counts samples (times something that is the same for all).
class Rebatch {
public:
  Rebatch(int64_t from, int64_t to) : from(from), to(to) {}

  LogicalResult run(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type || type.getRank() == 0 || type.getDimSize(0) != from)
        return function.emitError("expected arguments with a leading dimension "
                                  "of ")
               << from << ", the samples per call, but got "
               << argument.getType();
      argument.setType(scaled(type));
      batched.insert(argument);
    }
    for (Operation &op : function.front().without_terminator())
      if (failed(rewrite(op)))
        return failure();
    Operation *terminator = function.front().getTerminator();
    function.setFunctionType(FunctionType::get(
        function.getContext(), function.front().getArgumentTypes(),
        terminator->getOperandTypes()));
    for (Value result : terminator->getOperands())
      if (!batched.contains(result))
        return function.emitError("a result does not depend on the samples");
    return success();
  }

private:
  RankedTensorType scaled(RankedTensorType type) {
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = shape[0] / from * to;
    return type.clone(shape);
  }

  LogicalResult mixes(Operation &op, StringRef how) {
    return op.emitError("cannot run on another number of samples per call: ")
           << how;
  }

  LogicalResult rewrite(Operation &op) {
    bool isBatched = llvm::any_of(op.getOperands(),
                                  [&](Value v) { return batched.contains(v); });
    if (!isBatched || op.getNumResults() == 0)
      return success();
    if (op.getNumResults() != 1 || failed(checkMixing(op)))
      return op.getNumResults() == 1 ? failure()
                                     : mixes(op, "it has more than one result");
    auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
    if (!type || type.getRank() == 0 || type.getDimSize(0) % from != 0)
      return mixes(op, "the leading dimension of its result does not count "
                       "samples");
    RankedTensorType result = scaled(type);
    if (auto slice = dyn_cast<SliceOp>(op)) {
      SmallVector<int64_t> sizes(slice.getSizes());
      sizes[0] = result.getDimSize(0);
      slice.setSizes(sizes);
    }
    op.getResult(0).setType(result);
    batched.insert(op.getResult(0));
    return checkInference(op, result);
  }

  /// Where shapes follow from operands, they must say the same.
  LogicalResult checkInference(Operation &op, RankedTensorType expected) {
    auto inferring = dyn_cast<InferTypeOpInterface>(op);
    if (!inferring)
      return success();
    SmallVector<Type> types;
    if (failed(inferring.inferReturnTypes(
            op.getContext(), std::nullopt, op.getOperands(),
            op.getAttrDictionary(), op.getPropertiesStorage(), op.getRegions(),
            types)) ||
        types.size() != 1 || types[0] != expected)
      return mixes(op, "its operands belong to another number of samples");
    return success();
  }

  /// Samples must not meet along the leading dimension.
  LogicalResult checkMixing(Operation &op) {
    int64_t rank = 0;
    if (auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType()))
      rank = type.getRank();
    if (auto transpose = dyn_cast<TransposeOp>(op)) {
      if (transpose.getPermutation()[0] != 0)
        return mixes(op, "it moves the leading dimension");
    } else if (auto slice = dyn_cast<SliceOp>(op)) {
      if (slice.getStarts()[0] != 0 || slice.getSteps()[0] != 1 ||
          slice.getSizes()[0] != slice.getType().getDimSize(0) ||
          cast<ShapedType>(slice.getInput().getType()).getDimSize(0) !=
              slice.getSizes()[0] / from * to)
        return mixes(op, "it takes some samples only");
    } else if (auto pad = dyn_cast<PadOp>(op)) {
      if (pad.getPads()[0] != 0 || pad.getPads()[rank] != 0)
        return mixes(op, "it pads the leading dimension");
    } else if (auto concat = dyn_cast<ConcatOp>(op)) {
      if (concat.getAxis() == 0)
        return mixes(op, "it joins along the leading dimension");
    } else if (auto mean = dyn_cast<ReduceMeanOp>(op)) {
      if (llvm::is_contained(mean.getAxes(), 0))
        return mixes(op, "it averages over the leading dimension");
    } else if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
      if (softmax.getAxis() == 0)
        return mixes(op, "it normalises along the leading dimension");
    } else if (isa<MatMulOp>(op) || op.hasTrait<Elementwise>()) {
      return checkBroadcast(op, rank);
    } else if (!keepsSamplesApart(op)) {
      return mixes(op, "it may combine samples");
    }
    return success();
  }

  /// Ops that compute each element of the leading dimension from its like; of
  /// other dialects there is cim.mvm.
  static bool keepsSamplesApart(Operation &op) {
    return isa<ConvOp, MaxPoolOp, AvgPoolOp, BatchNormOp, ReshapeOp, QuantizeOp,
               DequantizeOp>(op) ||
           !isa<NNDialect>(op.getDialect());
  }

  /// A batched operand that lacks dimensions of the result would meet another
  /// one; the right operand of a rank-2 product is summed over.
  LogicalResult checkBroadcast(Operation &op, int64_t rank) {
    for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
      if (!batched.contains(operand))
        continue;
      bool isRight = isa<MatMulOp>(op) && i == 1;
      if (cast<ShapedType>(operand.getType()).getRank() != rank ||
          (isRight && rank == 2))
        return mixes(op, "it combines different samples");
    }
    return success();
  }

  int64_t from, to;
  llvm::DenseSet<Value> batched;
};

struct SetBatchPass : nn::impl::SetBatchPassBase<SetBatchPass> {
  using SetBatchPassBase::SetBatchPassBase;

  void runOnOperation() override {
    if (failed(setBatch(getOperation(), batch)))
      signalPassFailure();
  }
};

} // namespace

LogicalResult nn::setBatch(ModuleOp module, int64_t batch) {
  int64_t old = getBatch(module);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (batch < 1)
    return module.emitError("expected at least one sample per call, but got ")
           << batch;
  if (!main || old < 1)
    return module.emitError("expected a function '@main' with samples on the "
                            "leading dimension of its arguments");
  if (failed(Rebatch(old, batch).run(main)))
    return failure();
  module->setAttr(
      batchAttrName,
      IntegerAttr::get(IntegerType::get(module.getContext(), 64), batch));
  return success();
}
