// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The target of passes that need a chip with arrays.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_TARGETARCH_H
#define CIM_DIALECT_CIM_TRANSFORMS_TARGETARCH_H

#include "cim/Arch/LoadArch.h"
#include "mlir/IR/Operation.h"

namespace cim {

/// The chip called `target`; one error when there is none or it is the host.
inline llvm::FailureOr<Arch> loadChip(mlir::Operation *op,
                                      llvm::StringRef target) {
  llvm::FailureOr<Arch> arch = loadArch(op->getLoc(), target);
  if (mlir::succeeded(arch) && arch->isHost())
    return op->emitError("target '")
           << target << "' has no arrays; name a chip, such as 'imec-ania'";
  return arch;
}

/// The largest magnitude that cells of `arch` hold with either sign, at least
/// 1: `cim-split-weights` refuses cells that do not hold -1, 0 and 1.
inline int64_t getCellLimit(const Arch &arch) {
  return std::max<int64_t>(std::min(-arch.cellLo(), arch.cellHi()), 1);
}

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_TARGETARCH_H
