// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Conversion; Passes.td describes them.
#ifndef CIM_CONVERSION_PASSES_H
#define CIM_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace cim {

/// The function that `convert-nn-to-linalg` turns nn.observe into a call of:
/// `(tensor<?xf32>, i64)`.
inline constexpr llvm::StringLiteral kObserveFunction = "cim_observe";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

#endif // CIM_CONVERSION_PASSES_H
