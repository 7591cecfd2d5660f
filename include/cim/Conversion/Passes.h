// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Conversion; Passes.td describes them.
#ifndef CIM_CONVERSION_PASSES_H
#define CIM_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace cim {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

#endif // CIM_CONVERSION_PASSES_H
