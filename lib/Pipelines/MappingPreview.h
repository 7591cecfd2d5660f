// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What of a network would run on arrays, without compiling it: --check.
#ifndef CIM_LIB_PIPELINES_MAPPINGPREVIEW_H
#define CIM_LIB_PIPELINES_MAPPINGPREVIEW_H

#include "cim/Arch/Arch.h"
#include "mlir/IR/BuiltinOps.h"

namespace cim {

/// Prints a line for every matrix product of a normalised network (`Phase::NN`)
/// with the matrix it would be on the arrays of `arch`, or why it stays
/// digital; then what else stays digital, and the share of the
/// multiplications on arrays.
void printMappingPreview(mlir::ModuleOp module, const Arch &arch,
                         llvm::raw_ostream &os);

} // namespace cim

#endif // CIM_LIB_PIPELINES_MAPPINGPREVIEW_H
