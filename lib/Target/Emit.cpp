// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects and shared objects from a program.
#include "cim/Target/Emit.h"

#include "MachineCode.h"
#include "cim-c/model.h"
#include "cim/Pipelines/HostPipeline.h"
#include "cim/Target/OutputFile.h"
#include "cim/Version.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstddef>

using namespace mlir;

namespace cim {

static LogicalResult report(ModuleOp module, llvm::Error error) {
  return module.emitError() << llvm::toString(std::move(error));
}

static FailureOr<OwningOpRef<ModuleOp>> lowerToLLVM(ModuleOp program) {
  OwningOpRef<ModuleOp> module = program.clone();
  PassManager pm(program.getContext());
  // Fails when the tool has no such options.
  (void)applyPassManagerCLOptions(pm);
  applyDefaultTimingPassManagerCLOptions(pm);
  buildHostPipeline(pm, HostOptions());
  if (failed(pm.run(*module)))
    return failure();
  return module;
}

/// Cell images and tables are in the data, weights of the host in the code: the
/// bytecode has the names of resources only.
static LogicalResult writeProgram(ModuleOp program, std::string &bytecode) {
  BytecodeWriterConfig config(CIM_VERSION_STRING);
  config.setElideResourceDataFlag();
  llvm::raw_string_ostream stream(bytecode);
  if (failed(writeBytecodeToFile(program, stream, config)))
    return program.emitError("cannot write the program as bytecode");
  return success();
}

FailureOr<llvm::SmallVector<char, 0>>
compileToObject(ModuleOp program, const EmitOptions &options) {
  FailureOr<Manifest> manifest = buildManifest(program, options);
  if (failed(manifest))
    return failure();
  std::string bytecode;
  if (failed(writeProgram(program, bytecode)))
    return failure();

  auto type = program.lookupSymbol<func::FuncOp>("main").getFunctionType();
  auto machine = createTargetMachine(options);
  if (!machine)
    return report(program, machine.takeError());
  FailureOr<OwningOpRef<ModuleOp>> lowered = lowerToLLVM(program);
  if (failed(lowered))
    return failure();
  registerBuiltinDialectTranslation(*program.getContext());
  registerLLVMDialectTranslation(*program.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(**lowered, context);
  if (!module)
    return failure();
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  addModelImage(*module, *manifest, bytecode, type.getNumInputs(),
                type.getNumResults());
  optimize(*module, **machine, options.optLevel);
  auto object = generateObject(*module, **machine);
  if (!object)
    return report(program, object.takeError());
  return std::move(*object);
}

/// `file` and behind it the seal by which the loader finds damage.
static std::unique_ptr<llvm::MemoryBuffer> sealed(StringRef file) {
  uint32_t checksum = llvm::crc32(llvm::arrayRefFromStringRef(file));
  std::string seal(CIM_SEAL_MAGIC);
  seal.resize(sizeof(cim_seal));
  llvm::support::endian::write32le(&seal[offsetof(cim_seal, crc32)], checksum);
  return llvm::MemoryBuffer::getMemBufferCopy((file + seal).str());
}

FailureOr<std::unique_ptr<llvm::MemoryBuffer>>
compileToSharedObject(ModuleOp program, const EmitOptions &options) {
  auto object = compileToObject(program, options);
  if (failed(object))
    return failure();
  auto linked = linkSharedObject(*object);
  if (!linked)
    return report(program, linked.takeError());
  return sealed((*linked)->getBuffer());
}

static LogicalResult write(ModuleOp program, StringRef path, StringRef bytes) {
  if (llvm::Error error = writeOutputFile(path, bytes))
    return report(program, std::move(error));
  return success();
}

LogicalResult emitObject(ModuleOp program, StringRef path,
                         const EmitOptions &options) {
  auto object = compileToObject(program, options);
  if (failed(object))
    return failure();
  return write(program, path, StringRef(object->data(), object->size()));
}

LogicalResult emitSharedObject(ModuleOp program, StringRef path,
                               const EmitOptions &options) {
  auto linked = compileToSharedObject(program, options);
  if (failed(linked))
    return failure();
  return write(program, path, (*linked)->getBuffer());
}

} // namespace cim
