// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-bufferize-program: tensors to buffers, results to output arguments.
#include "cim/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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

namespace {
struct BufferizeProgram : cim::impl::BufferizeProgramPassBase<BufferizeProgram> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    protectInputs(module);

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

    bufferization::BufferResultsToOutParamsOpts outParams;
    outParams.memCpyFn = createCopy;
    outParams.hoistStaticAllocs = true;
    outParams.modifyPublicFunctions = true;
    outParams.filterFn = [](func::FuncOp *function) {
      return !function->isExternal();
    };
    if (failed(
            bufferization::promoteBufferResultsToOutParams(module, outParams)))
      signalPassFailure();
  }

private:
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
