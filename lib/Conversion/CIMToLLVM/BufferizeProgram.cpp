// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-bufferize-program: tensors to buffers, results to output arguments.
#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace cim {
#define GEN_PASS_DEF_BUFFERIZEPROGRAMPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;

/// A copy that lowers to memcpy or to loops; MLIR's own copy of strided
/// buffers calls a library.
static LogicalResult createCopy(OpBuilder &builder, Location loc, Value from,
                                Value to) {
  auto isDense = [](Value value) {
    return cast<MemRefType>(value.getType()).getLayout().isIdentity();
  };
  if (isDense(from) && isDense(to))
    memref::CopyOp::create(builder, loc, from, to);
  else
    linalg::makeMemRefCopyOp(builder, loc, from, to);
  return success();
}

/// `buffer` of the shape of `type`; both are dense and have as many elements.
static Value reshape(OpBuilder &builder, Location loc, Value buffer,
                     MemRefType type) {
  auto from = cast<MemRefType>(buffer.getType());
  if (from == type)
    return buffer;
  if (from.getRank() != 1) {
    ReassociationIndices all =
        llvm::to_vector(llvm::seq<int64_t>(0, from.getRank()));
    SmallVector<ReassociationIndices> groups;
    if (from.getRank() != 0)
      groups.push_back(all);
    buffer = from.getRank() == 0
                 ? memref::ExpandShapeOp::create(
                       builder, loc, ArrayRef<int64_t>{1}, buffer, groups)
                       .getResult()
                 : memref::CollapseShapeOp::create(builder, loc, buffer, groups)
                       .getResult();
    return reshape(builder, loc, buffer, type);
  }
  SmallVector<ReassociationIndices> groups;
  if (type.getRank() == 0)
    return memref::CollapseShapeOp::create(builder, loc, buffer, groups);
  groups.push_back(llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  return memref::ExpandShapeOp::create(builder, loc, type.getShape(), buffer,
                                       groups);
}

/// Every op that writes gets a destination of its own, right in front of it.
/// One that several share is a copy for all but one of them, and the analysis
/// compares all of them with each other.
static void separateDestinations(func::FuncOp function) {
  auto isDestination = [](Operation &op) {
    return isa<tensor::EmptyOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
               linalg::FillOp>(op);
  };
  llvm::DenseSet<Operation *> blank;
  for (Operation &op : function.getOps())
    if (isDestination(op) && llvm::all_of(op.getOperands(), [&](Value operand) {
          Operation *producer = operand.getDefiningOp();
          return producer && (blank.contains(producer) ||
                              producer->hasTrait<OpTrait::ConstantLike>());
        }))
      blank.insert(&op);
  // Users first: their copies need copies of what they read.
  Block &block = function.front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (!blank.contains(&op))
      continue;
    SmallVector<OpOperand *> uses(llvm::make_pointer_range(op.getUses()));
    for (auto [i, use] : llvm::enumerate(uses)) {
      OpBuilder builder(block.findAncestorOpInBlock(*use->getOwner()));
      if (i + 1 < uses.size())
        use->set(builder.clone(op)->getResult(0));
      else
        op.moveBefore(&block, builder.getInsertionPoint());
    }
  }
}

/// The allocation that `value` is a dense view of, if it is one.
static memref::AllocOp findAllocation(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto allocation = dyn_cast<memref::AllocOp>(op))
      return allocation.getType().hasStaticShape() ? allocation : nullptr;
    if (!isa<memref::CollapseShapeOp, memref::ExpandShapeOp>(op))
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}

/// Makes results into arguments at the end. A buffer that is returned is
/// replaced by the caller's, others (inputs, constants, a second return of the
/// same buffer) are copied.
static void returnInArguments(func::FuncOp function) {
  auto exit = cast<func::ReturnOp>(function.front().getTerminator());
  SmallVector<Value> results(exit.getOperands());
  for (auto [number, result] : llvm::enumerate(results)) {
    auto type = cast<MemRefType>(result.getType());
    Location loc = exit.getLoc();
    (void)function.insertArgument(function.getNumArguments(), type, {}, loc);
    Value argument = function.getArguments().back();
    if (memref::AllocOp allocation = findAllocation(result)) {
      OpBuilder builder(allocation);
      Value replacement =
          reshape(builder, allocation.getLoc(), argument, allocation.getType());
      allocation.replaceAllUsesWith(replacement);
      // The result itself when it was the allocation.
      std::replace(results.begin(), results.end(),
                   Value(allocation.getResult()), replacement);
      allocation.erase();
      continue;
    }
    OpBuilder builder(exit);
    (void)createCopy(builder, loc, result, argument);
  }
  exit.getOperandsMutable().clear();
  Builder builder(function.getContext());
  function.setType(builder.getFunctionType(function.getArgumentTypes(), {}));
  function.removeResAttrsAttr();
}

namespace {
struct BufferizeProgram
    : cim::impl::BufferizeProgramPassBase<BufferizeProgram> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && failed(checkFunction(function)))
        return signalPassFailure();
    protectInputs(module);
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        separateDestinations(function);

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(
        bufferization::LayoutMapOption::IdentityLayoutMap);
    options.memCpyFn = createCopy;
    bufferization::BufferizationState state;
    if (failed(
            bufferization::runOneShotModuleBufferize(module, options, state)))
      return signalPassFailure();
    bufferization::removeBufferizationAttributesInModule(module);

    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        returnInArguments(function);
  }

private:
  static LogicalResult checkFunction(func::FuncOp function) {
    if (!llvm::hasSingleElement(function.getBody()))
      return function.emitOpError("expected a body of one block");
    SmallVector<Type> types(function.getArgumentTypes());
    llvm::append_range(types, function.getResultTypes());
    for (Type type : types)
      if (auto tensor = dyn_cast<RankedTensorType>(type);
          !tensor || !tensor.hasStaticShape())
        return function.emitOpError("expected inputs and results to be tensors "
                                    "of static shape, but got ")
               << type;
    return success();
  }

  /// Inputs belong to the caller.
  static void protectInputs(ModuleOp module) {
    Builder builder(module.getContext());
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      for (BlockArgument argument : function.getArguments())
        if (isa<TensorType>(argument.getType()))
          function.setArgAttr(
              argument.getArgNumber(),
              bufferization::BufferizationDialect::kWritableAttrName,
              builder.getBoolAttr(false));
    }
  }
};
} // namespace
