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
#include "llvm/Support/Parallel.h"
#include "llvm/Support/ThreadPool.h"

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

bool rebatch(ModuleOp module, int64_t batch, bool inOrder) {
  ScopedDiagnosticHandler quiet(module.getContext(),
                                [](Diagnostic &) { return success(); });
  return succeeded(nn::setBatch(module, batch, inOrder));
}

SampleRange getPart(int64_t count, int64_t batch, int64_t parts,
                    int64_t index) {
  int64_t calls = (count + batch - 1) / batch;
  int64_t begin = calls * index / parts * batch;
  int64_t end = std::min(calls * (index + 1) / parts * batch, count);
  return {begin, end - begin};
}

/// Room for what a network makes of some samples, by output.
using Results = std::vector<std::unique_ptr<char[]>>;

static ArrayRef<Type> getResultTypes(ModuleOp program) {
  return program.lookupSymbol<func::FuncOp>("main").getResultTypes();
}

static int64_t getElementsPerSample(ModuleOp program, Type type) {
  return cast<ShapedType>(type).getNumElements() / nn::getBatch(program);
}

/// What went wrong, or an empty string.
static std::string runPart(ModuleOp program, cim_model *model,
                           const SampleData &samples, SampleRange range,
                           const cim_session_options &options,
                           Results &results) {
  cim_session *session = nullptr;
  if (cim_session_create(model, &options, &session) != CIM_OK)
    return std::string("start the network: ") + cim_last_error();
  std::vector<const void *> inputs;
  for (const npy::Array &input : samples.inputs)
    inputs.push_back(input.bytes.data() +
                     input.bytes.size() / input.shape[0] * range.begin);
  std::vector<void *> outputs;
  for (Type type : getResultTypes(program)) {
    constexpr int64_t maxElementBytes = 8;
    int64_t elements = getElementsPerSample(program, type);
    results.emplace_back(new char[elements * range.count * maxElementBytes]);
    outputs.push_back(results.back().get());
  }
  cim_status status = cim_session_run(session, range.begin, range.count,
                                      inputs.data(), outputs.data());
  std::string problem;
  if (status != CIM_OK)
    problem = std::string("run the network: ") + cim_last_error();
  cim_session_destroy(session);
  return problem;
}

FailureOr<ModelRunner> ModelRunner::compile(ModuleOp program,
                                            const Arch &arch) {
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
  cim_model *model = nullptr;
  if (cim_model_open(path.c_str(), &model) != CIM_OK)
    return program.emitError("calibration cannot load the network: ")
           << cim_last_error();
  ModelRunner runner;
  runner.program = program;
  runner.model.reset(model);
  return runner;
}

LogicalResult ModelRunner::run(const SampleData &samples, int64_t count,
                               ArrayRef<cim_session_options> sessions) {
  int64_t batch = nn::getBatch(program);
  std::vector<std::string> problems(sessions.size());
  auto start = [&](size_t i) {
    SampleRange range = getPart(count, batch, sessions.size(), i);
    Results dropped;
    if (range.count > 0)
      problems[i] =
          runPart(program, model.get(), samples, range, sessions[i], dropped);
  };
  if (sessions.size() == 1) {
    // On this thread, so that what runs inside may use all others.
    start(0);
  } else {
    llvm::DefaultThreadPool pool;
    for (size_t i = 0; i < sessions.size(); ++i)
      pool.async(start, i);
    pool.wait();
  }
  for (const std::string &problem : problems)
    if (!problem.empty())
      return program.emitError("calibration cannot ") << problem;
  return success();
}

FailureOr<std::vector<std::vector<float>>>
ModelRunner::evaluate(const SampleData &samples, int64_t count) {
  cim_session_options options = {};
  options.size = sizeof options;
  options.device = "exact";
  Results results;
  std::string problem =
      runPart(program, model.get(), samples, {0, count}, options, results);
  if (!problem.empty())
    return program.emitError("cannot ") << problem;
  std::vector<std::vector<float>> values(results.size());
  for (auto [type, result, to] :
       llvm::zip_equal(getResultTypes(program), results, values)) {
    if (!getElementTypeOrSelf(type).isF32())
      continue;
    const auto *from = reinterpret_cast<const float *>(result.get());
    to.assign(from, from + getElementsPerSample(program, type) * count);
  }
  return values;
}

FailureOr<CallRunner> CallRunner::create(const ModelRunner &model,
                                         int64_t limit) {
  CallRunner runner;
  runner.program = model.program;
  cim_session_options options = {};
  options.size = sizeof options;
  options.device = "exact";
  options.threads = 1;
  int64_t count = llvm::hardware_concurrency().compute_thread_count();
  for (int64_t i = 0; i < std::clamp<int64_t>(limit, 1, count); ++i) {
    cim_session *session = nullptr;
    if (cim_session_create(model.model.get(), &options, &session) != CIM_OK)
      return runner.program.emitError("cannot start the network: ")
             << cim_last_error();
    runner.sessions.emplace_back(session);
  }
  return runner;
}

/// Bytes of one sample of a tensor with `batch` of them.
static int64_t getSampleBytes(Type type, int64_t batch) {
  auto tensor = cast<ShapedType>(type);
  return tensor.getNumElements() / batch *
         llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

LogicalResult CallRunner::run(int64_t count, ArrayRef<const char *> inputs,
                              ArrayRef<char *> outputs) {
  FunctionType type =
      program.lookupSymbol<func::FuncOp>("main").getFunctionType();
  int64_t batch = nn::getBatch(program), parts = sessions.size();
  std::vector<std::string> problems(sessions.size());
  llvm::parallelFor(0, sessions.size(), [&](size_t i) {
    SampleRange range = getPart(count, batch, parts, i);
    if (range.count == 0)
      return;
    SmallVector<const void *> from;
    SmallVector<void *> to;
    for (auto [data, type] : llvm::zip_equal(inputs, type.getInputs()))
      from.push_back(data + range.begin * getSampleBytes(type, batch));
    for (auto [data, type] : llvm::zip_equal(outputs, type.getResults()))
      to.push_back(data + range.begin * getSampleBytes(type, batch));
    if (cim_session_run(sessions[i].get(), range.begin, range.count,
                        from.data(), to.data()) != CIM_OK)
      problems[i] = cim_last_error();
  });
  for (const std::string &problem : problems)
    if (!problem.empty())
      return program.emitError("cannot run the network: ") << problem;
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
