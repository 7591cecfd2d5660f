// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From nn, or from a placed program, to the LLVM dialect.
#include "cim/Pipelines/HostPipeline.h"

#include "cim/Conversion/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

static void buildLoops(OpPassManager &pm, const cim::HostOptions &options) {
  pm.addPass(cim::createConvertNNToLinalgPass());
  cim::MergeElementwisePassOptions merging;
  merging.fuse = options.fuse;
  pm.addNestedPass<func::FuncOp>(cim::createMergeElementwisePass(merging));
  pm.addPass(createCSEPass());
  pm.addPass(cim::createBufferizeProgramPass());
  pm.addPass(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(cim::createPackBuffersPass());
  // Pointers are taken out of buffers here: nothing may move deallocations
  // after it.
  pm.addPass(cim::createConvertCIMToLLVMPass());
  pm.addPass(cim::createOutlineLoopsPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
}

static void buildLLVM(OpPassManager &pm) {
  // Integer powers are loops.
  pm.addPass(createConvertMathToFuncs());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // aligned_alloc tells LLVM that buffers are distinct; an aligned pointer
  // into a malloc does not.
  FinalizeMemRefToLLVMConversionPassOptions buffers;
  buffers.useAlignedAlloc = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(buffers));
  pm.addPass(createConvertMathToLLVMPass());
  // The functions that LLVM has no intrinsic for.
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  ConvertFuncToLLVMPassOptions functions;
  functions.useBarePtrCallConv = true;
  pm.addPass(createConvertFuncToLLVMPass(functions));
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void cim::buildHostPipeline(OpPassManager &pm, const HostOptions &options) {
  buildLoops(pm, options);
  buildLLVM(pm);
}

void cim::registerHostPipeline() {
  PassPipelineRegistration<HostOptions>(
      "cim-host-pipeline", "Lower nn, or a placed program, to the LLVM dialect",
      buildHostPipeline);
}
