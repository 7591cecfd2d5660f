// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-set-batch: another number of samples per call.
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/Interfaces/CrossbarOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "llvm/ADT/TypeSwitch.h"

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

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {

/// Where the samples of a tensor are: dimension `dim` counts them, times what
/// is the same for all, `inner` elements apart.
struct Samples {
  int64_t dim = 0, inner = 1;

  bool operator==(const Samples &other) const {
    return dim == other.dim && inner == other.inner;
  }
};

/// Walks a function in program order and follows the samples through it.
class Rebatch {
public:
  Rebatch(int64_t from, int64_t to, bool inOrder)
      : from(from), to(to), inOrder(inOrder) {}

  LogicalResult run(func::FuncOp function);

private:
  LogicalResult rewrite(Operation &op);
  FailureOr<Samples> findResult(Operation &op);
  FailureOr<Samples> throughTranspose(TransposeOp op);
  FailureOr<Samples> throughReshape(ReshapeOp op);
  FailureOr<Samples> throughMatMul(MatMulOp op);
  FailureOr<Samples> throughBroadcast(Operation &op);
  FailureOr<Samples> throughGather(GatherOp op);
  FailureOr<Samples> throughReduction(ReduceOp op);
  FailureOr<Samples> throughMvm(MvmOp op);
  /// The same dimension, along which `op` must not do anything.
  FailureOr<Samples> keep(Operation &op, bool isTouched, StringRef how);
  LogicalResult checkInference(Operation &op);

  /// Whether all of a sample comes before all of the next, in a tensor of a
  /// type that is not rewritten yet.
  bool isInOrder(RankedTensorType type, Samples samples) const {
    return type.getDimSize(samples.dim) == from * samples.inner &&
           llvm::all_of(type.getShape().take_front(samples.dim),
                        [](int64_t extent) { return extent == 1; });
  }

  RankedTensorType scaled(RankedTensorType type, int64_t dim) const {
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = shape[dim] / from * to;
    return type.clone(shape);
  }

  static LogicalResult mixes(Operation &op, StringRef how) {
    return op.emitError("cannot run on another number of samples per call: ")
           << how;
  }

  int64_t from, to;
  bool inOrder;
  llvm::DenseMap<Value, Samples> batched;
};

} // namespace

LogicalResult Rebatch::run(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.getRank() == 0 || type.getDimSize(0) != from)
      return function.emitError("expected arguments with a leading dimension "
                                "of ")
             << from << ", the samples per call, but got "
             << argument.getType();
    argument.setType(scaled(type, 0));
    batched[argument] = {};
  }
  for (Operation &op : function.front().without_terminator())
    if (failed(rewrite(op)))
      return failure();
  Operation *terminator = function.front().getTerminator();
  function.setFunctionType(FunctionType::get(
      function.getContext(), function.front().getArgumentTypes(),
      terminator->getOperandTypes()));
  for (Value result : terminator->getOperands()) {
    auto samples = batched.find(result);
    if (samples == batched.end())
      return function.emitError("a result does not depend on the samples");
    if (samples->second.dim != 0)
      return function.emitError(
          "the leading dimension of a result does not count samples");
  }
  return success();
}

LogicalResult Rebatch::rewrite(Operation &op) {
  bool isBatched = llvm::any_of(op.getOperands(),
                                [&](Value v) { return batched.contains(v); });
  if (!isBatched || op.getNumResults() == 0)
    return success();
  FailureOr<Samples> samples = findResult(op);
  if (failed(samples))
    return failure();
  for (Value result : op.getResults()) {
    RankedTensorType type = typeOf(result);
    if (type.getDimSize(samples->dim) % from != 0)
      return mixes(op, "its operands belong to another number of samples");
    if (inOrder && isa<CrossbarOpInterface, MvmOp>(op) &&
        !isInOrder(type, *samples))
      return mixes(op, "its samples are interleaved");
    result.setType(scaled(type, samples->dim));
    batched[result] = *samples;
  }
  if (auto slice = dyn_cast<SliceOp>(op)) {
    SmallVector<int64_t> sizes(slice.getSizes());
    sizes[samples->dim] = slice.getType().getDimSize(samples->dim);
    slice.setSizes(sizes);
  }
  return checkInference(op);
}

/// Where shapes follow from operands, they must say the same.
LogicalResult Rebatch::checkInference(Operation &op) {
  auto inferring = dyn_cast<InferTypeOpInterface>(op);
  if (!inferring)
    return success();
  SmallVector<Type> types;
  if (failed(inferring.inferReturnTypes(
          op.getContext(), std::nullopt, op.getOperands(),
          op.getAttrDictionary(), op.getPropertiesStorage(), op.getRegions(),
          types)) ||
      !llvm::equal(types, op.getResultTypes()))
    return mixes(op, "its operands belong to another number of samples");
  return success();
}

//===----------------------------------------------------------------------===//
// Op by op
//===----------------------------------------------------------------------===//

/// Ops that compute each element of the leading dimension from its like.
static bool keepsLeadingDimension(Operation &op) {
  return isa<ConvOp, MaxPoolOp, AvgPoolOp, BatchNormOp>(op);
}

FailureOr<Samples> Rebatch::findResult(Operation &op) {
  auto at = [&](ArrayRef<int64_t> perDim) {
    return perDim[batched.lookup(op.getOperand(0)).dim];
  };
  return llvm::TypeSwitch<Operation *, FailureOr<Samples>>(&op)
      .Case([&](TransposeOp transpose) { return throughTranspose(transpose); })
      .Case([&](ReshapeOp reshape) { return throughReshape(reshape); })
      .Case([&](MatMulOp matmul) { return throughMatMul(matmul); })
      .Case([&](GatherOp gather) { return throughGather(gather); })
      .Case([&](ReduceOp reduce) { return throughReduction(reduce); })
      .Case([&](MvmOp mvm) { return throughMvm(mvm); })
      .Case([&](SliceOp slice) {
        // The operand has its new shape already.
        bool isWhole = at(slice.getStarts()) == 0 &&
                       at(slice.getSteps()) == 1 &&
                       at(slice.getSizes()) / from * to ==
                           at(typeOf(slice.getInput()).getShape());
        return keep(op, !isWhole, "it takes some samples only");
      })
      .Case([&](PadOp pad) {
        int64_t rank = pad.getType().getRank();
        return keep(op,
                    at(pad.getPads()) != 0 ||
                        at(pad.getPads().drop_front(rank)) != 0,
                    "it pads along the samples");
      })
      .Case([&](ConcatOp concat) {
        FailureOr<Samples> samples = throughBroadcast(op);
        if (succeeded(samples) &&
            samples->dim == static_cast<int64_t>(concat.getAxis()))
          return FailureOr<Samples>(mixes(op, "it joins along the samples"));
        return samples;
      })
      .Case([&](BroadcastOp broadcast) {
        FailureOr<Samples> samples = throughBroadcast(op);
        if (succeeded(samples) &&
            broadcast.getType().getDimSize(samples->dim) / from * to !=
                at(typeOf(broadcast.getInput()).getShape()))
          return FailureOr<Samples>(mixes(op, "it repeats samples"));
        return samples;
      })
      .Case([&](SoftmaxOp softmax) {
        return keep(op,
                    static_cast<int64_t>(softmax.getAxis()) ==
                        batched.lookup(op.getOperand(0)).dim,
                    "it normalises along the samples");
      })
      .Case([&](TopKOp topK) {
        bool isLast = batched.lookup(topK.getInput()).dim ==
                      typeOf(topK.getInput()).getRank() - 1;
        return keep(op, isLast, "it ranks the samples");
      })
      .Default([&](Operation *) -> FailureOr<Samples> {
        if (op.hasTrait<Elementwise>() ||
            isa<QuantizeOp, DequantizeOp, quant::StorageCastOp,
                UnrealizedConversionCastOp>(op))
          return throughBroadcast(op);
        bool isLeading = keepsLeadingDimension(op) &&
                         batched.lookup(op.getOperand(0)).dim == 0;
        return keep(op, !isLeading, "it may combine samples");
      });
}

FailureOr<Samples> Rebatch::keep(Operation &op, bool isTouched, StringRef how) {
  // Weights and other tables are the same for all samples.
  for (Value operand : llvm::drop_begin(op.getOperands()))
    if (batched.contains(operand))
      return mixes(op, "it may combine samples");
  if (isTouched)
    return mixes(op, how);
  return batched.lookup(op.getOperand(0));
}

FailureOr<Samples> Rebatch::throughTranspose(TransposeOp op) {
  Samples samples = batched.lookup(op.getInput());
  samples.dim = llvm::find(op.getPermutation(), samples.dim) -
                op.getPermutation().begin();
  return samples;
}

/// Samples stay as far apart in memory. One sample per call could be in several
/// dimensions of the result: best in one of extent 1, else not in the last,
/// which matrix products sum over.
FailureOr<Samples> Rebatch::throughReshape(ReshapeOp op) {
  Samples samples = batched.lookup(op.getInput());
  ArrayRef<int64_t> before = typeOf(op.getInput()).getShape();
  int64_t apart =
      samples.inner * llvm::product_of(before.drop_front(samples.dim + 1));
  ArrayRef<int64_t> shape = op.getType().getShape();
  int64_t rank = shape.size(), suffix = 1;
  std::optional<Samples> found;
  int bestScore = -1;
  for (int64_t dim = rank - 1; dim >= 0; suffix *= shape[dim--]) {
    if (apart % suffix != 0 || suffix * shape[dim] % (apart * from) != 0)
      continue;
    bool isExact = shape[dim] == from && apart == suffix;
    int score = isExact ? 2 : dim < rank - 1;
    if (score > bestScore || isExact) {
      found = Samples{dim, apart / suffix};
      bestScore = score;
    }
  }
  if (!found)
    return mixes(*op, "it takes samples apart");
  return *found;
}

/// Rows are independent, and so are products of different matrices.
FailureOr<Samples> Rebatch::throughMatMul(MatMulOp op) {
  int64_t rank = op.getType().getRank();
  std::optional<Samples> result;
  for (unsigned i : {0, 1}) {
    Value operand = op->getOperand(i);
    auto found = batched.find(operand);
    if (found == batched.end())
      continue;
    Samples samples = found->second;
    int64_t fromLast = typeOf(operand).getRank() - 1 - samples.dim;
    samples.dim = rank - 1 - fromLast;
    if (fromLast < (i == 0 ? 1 : 2) || (result && !(*result == samples)))
      return mixes(*op, "it combines different samples");
    result = samples;
  }
  if (!result || (op.getBias() && batched.contains(op.getBias())))
    return mixes(*op, "its bias depends on the samples");
  return *result;
}

/// Operands that depend on samples have them in the same place.
FailureOr<Samples> Rebatch::throughBroadcast(Operation &op) {
  int64_t rank = typeOf(op.getResult(0)).getRank();
  std::optional<Samples> result;
  for (Value operand : op.getOperands()) {
    auto found = batched.find(operand);
    if (found == batched.end())
      continue;
    Samples samples = found->second;
    samples.dim += rank - typeOf(operand).getRank();
    if (result && !(*result == samples))
      return mixes(op, "it combines different samples");
    result = samples;
  }
  return *result;
}

/// The dimensions of the indices take the place of one of the data.
FailureOr<Samples> Rebatch::throughGather(GatherOp op) {
  int64_t axis = op.getAxis();
  auto data = batched.find(op.getData()),
       indices = batched.find(op.getIndices());
  bool isData = data != batched.end(), isIndices = indices != batched.end();
  if (isData == isIndices || (isData && data->second.dim == axis))
    return mixes(*op, "it gathers from different samples");
  Samples samples = isData ? data->second : indices->second;
  if (isIndices)
    samples.dim += axis;
  else if (samples.dim > axis)
    samples.dim += op.getIndices().getType().getRank() - 1;
  return samples;
}

FailureOr<Samples> Rebatch::throughReduction(ReduceOp op) {
  Samples samples = batched.lookup(op.getInput());
  if (llvm::is_contained(op.getAxes(), samples.dim))
    return mixes(*op, "it reduces the samples");
  if (!op.getKeepDims())
    samples.dim -= llvm::count_if(
        op.getAxes(), [&](int64_t axis) { return axis < samples.dim; });
  return samples;
}

/// Windows of one element are independent in space, too.
FailureOr<Samples> Rebatch::throughMvm(MvmOp op) {
  Samples samples = batched.lookup(op.getInput());
  int64_t space = samples.dim - 1;
  bool isPoint = (space == 0 || space == 1) && op.getKernel()[space] == 1 &&
                 op.getStrides()[space] == 1 && op.getPads()[space] == 0 &&
                 op.getType().getDimSize(samples.dim) * to ==
                     typeOf(op.getInput()).getDimSize(samples.dim) * from;
  if (samples.dim != 0 && !isPoint)
    return mixes(*op, "its windows combine samples");
  return samples;
}

namespace {

struct SetBatchPass : nn::impl::SetBatchPassBase<SetBatchPass> {
  using SetBatchPassBase::SetBatchPassBase;

  void runOnOperation() override {
    if (failed(setBatch(getOperation(), batch)))
      signalPassFailure();
  }
};

} // namespace
LogicalResult nn::setBatch(ModuleOp module, int64_t batch, bool inOrder) {
  int64_t old = getBatch(module);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (batch < 1)
    return module.emitError("expected at least one sample per call, but got ")
           << batch;
  if (!main || old < 1)
    return module.emitError("expected a function '@main' with samples on the "
                            "leading dimension of its arguments");
  if (failed(Rebatch(old, batch, inOrder).run(main)))
    return failure();
  module->setAttr(
      batchAttrName,
      IntegerAttr::get(IntegerType::get(module.getContext(), 64), batch));
  return success();
}
