// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loading a target inside a pass: the error becomes one MLIR diagnostic at the
// place in the YAML file, so that drivers show that line.
#ifndef CIM_ARCH_LOADARCH_H
#define CIM_ARCH_LOADARCH_H

#include "cim/Arch/Arch.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

namespace cim {

/// `Arch::load`; on failure emits exactly one error: at the position in the
/// target file, or at `loc` when the error has no position (unknown name).
inline mlir::FailureOr<Arch> loadArch(mlir::Location loc,
                                      llvm::StringRef nameOrPath) {
  llvm::Expected<Arch> arch = Arch::load(nameOrPath);
  if (arch)
    return *arch;
  llvm::handleAllErrors(arch.takeError(), [&](const TargetError &error) {
    mlir::Location at = loc;
    if (error.getLine())
      at = mlir::FileLineColLoc::get(loc.getContext(), error.getFile(),
                                     error.getLine(), error.getColumn());
    mlir::emitError(at) << error.getMessage();
  });
  return mlir::failure();
}

} // namespace cim

#endif // CIM_ARCH_LOADARCH_H
