// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiles a module and runs it in this process.
#include "ModelRunner.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "cim/Pipelines/HostPipeline.h"
#include "cim/Target/Emit.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace mlir;

namespace cim {

/// Feature maps of all samples of a call together stay below this.
static constexpr int64_t maxBytes = int64_t(1) << 30;

void insertModelRunnerDialects(DialectRegistry &registry) {
  OpPassManager pipeline(ModuleOp::getOperationName());
  buildHostPipeline(pipeline, HostOptions());
  pipeline.getDependentDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

namespace {

/// A loaded network and a session on it.
struct Session {
  cim_model *model = nullptr;
  cim_session *session = nullptr;

  ~Session() {
    if (session)
      cim_session_destroy(session);
    if (model)
      cim_model_close(model);
  }
};

} // namespace

static LogicalResult report(ModuleOp module, StringRef what) {
  return module.emitError("calibration cannot ")
         << what << ": " << cim_last_error();
}

LogicalResult runModel(ModuleOp program, const Arch &arch,
                       const SampleData &samples, int64_t count,
                       cim_session_options options) {
  SmallString<128> path;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("cim-calibration", "so", path))
    return program.emitError("calibration cannot make a temporary file: ")
           << error.message();
  llvm::FileRemover remover(path);
  EmitOptions emit;
  emit.arch = arch;
  if (failed(emitSharedObject(program, path, emit)))
    return failure();
  Session run;
  if (cim_model_open(path.c_str(), &run.model) != CIM_OK)
    return report(program, "load the network");
  if (cim_session_create(run.model, &options, &run.session) != CIM_OK)
    return report(program, "start the network");
  std::vector<const void *> inputs;
  for (const npy::Array &input : samples.inputs)
    inputs.push_back(input.bytes.data());
  std::vector<std::vector<char>> results;
  std::vector<void *> outputs;
  auto main = program.lookupSymbol<func::FuncOp>("main");
  int64_t batch = nn::getBatch(program);
  for (Type type : main.getResultTypes()) {
    auto shaped = cast<ShapedType>(type);
    int64_t bytes = shaped.getNumElements() / batch * count * 8;
    results.emplace_back(bytes);
    outputs.push_back(results.back().data());
  }
  if (cim_session_run(run.session, 0, count, inputs.data(), outputs.data()) !=
      CIM_OK)
    return report(program, "run the network");
  return success();
}

int64_t chooseBatch(ModuleOp module, int64_t count) {
  int64_t batch = std::max<int64_t>(nn::getBatch(module), 1);
  int64_t largest = 1;
  module.walk([&](Operation *op) {
    int64_t bytes = 0;
    auto add = [&](Value value) {
      if (auto type = dyn_cast<RankedTensorType>(value.getType()))
        bytes += type.getNumElements() * 4;
    };
    llvm::for_each(op->getOperands(), add);
    llvm::for_each(op->getResults(), add);
    largest = std::max(largest, bytes / batch);
  });
  // Residual paths and a copy of the layer's sums live beside it.
  return std::clamp<int64_t>(maxBytes / (2 * largest), 1, count);
}

} // namespace cim
