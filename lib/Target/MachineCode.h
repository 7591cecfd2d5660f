// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the LLVM dialect to machine code, and the linker.
#ifndef CIM_LIB_TARGET_MACHINECODE_H
#define CIM_LIB_TARGET_MACHINECODE_H

#include "cim/Target/Emit.h"
#include "cim/Target/Manifest.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace cim {

/// Code generation for `options.cpu`; position independent, IEEE arithmetic
/// without contraction.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const EmitOptions &options);

/// Adds to a module with `@main` the function that unpacks its arguments and
/// the exported cim_model_v1; everything else becomes internal.
void addModelImage(llvm::Module &module, const Manifest &manifest,
                   llvm::StringRef bytecode, unsigned inputs, unsigned outputs);

/// Runs LLVM's optimisation pipeline.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned level);

/// The object file.
llvm::Expected<llvm::SmallVector<char, 0>>
generateObject(llvm::Module &module, llvm::TargetMachine &machine);

/// Links an object file into a shared object and returns its bytes.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
linkSharedObject(llvm::ArrayRef<char> object);

/// The bytes that emitObject and emitSharedObject write.
llvm::FailureOr<llvm::SmallVector<char, 0>>
compileToObject(mlir::ModuleOp program, const EmitOptions &options);
llvm::FailureOr<std::unique_ptr<llvm::MemoryBuffer>>
compileToSharedObject(mlir::ModuleOp program, const EmitOptions &options);

} // namespace cim

#endif // CIM_LIB_TARGET_MACHINECODE_H
