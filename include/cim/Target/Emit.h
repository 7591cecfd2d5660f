// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Machine code and shared objects from a program.
#ifndef CIM_TARGET_EMIT_H
#define CIM_TARGET_EMIT_H

#include "cim/Arch/Arch.h"
#include "mlir/IR/BuiltinOps.h"
#include <optional>
#include <string>

namespace cim {

struct EmitOptions {
  /// The target that the program was placed for: where the manifest's ADC and
  /// "device" come from. Needed as soon as the module has a cim.layer.
  std::optional<Arch> arch;
  /// Processor that the host code is for: "native" (the one that compiles),
  /// "baseline" (any 64-bit processor of this kind) or a name that LLVM knows.
  std::string cpu = "native";
  /// LLVM's -O level, 0 to 3.
  unsigned optLevel = 2;
};

/// Writes a shared object that exports `cim_model_v1` (include/cim-c/model.h).
/// `program` has a `@main` of nn ops and cim.streams, and the cim.arrays and
/// cim.layers they need; it is not changed. It is embedded as bytecode, without
/// the contents of large constants, which are in the data or the code anyway.
/// Problems are diagnostics at the module or op, and then nothing is written.
llvm::LogicalResult emitSharedObject(mlir::ModuleOp program,
                                     llvm::StringRef path,
                                     const EmitOptions &options);

/// The same as a relocatable object: `cim_model_v1` to link into an
/// application.
llvm::LogicalResult emitObject(mlir::ModuleOp program, llvm::StringRef path,
                               const EmitOptions &options);

/// Makes `cim-translate --cim-to-shared-object` and `--cim-to-manifest` known;
/// `--target` and `--cpu` are their options.
void registerTargetTranslations();

} // namespace cim

#endif // CIM_TARGET_EMIT_H
