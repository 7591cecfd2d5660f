// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Dialect/NN/Transforms; Passes.td describes them.
#ifndef CIM_DIALECT_NN_TRANSFORMS_PASSES_H
#define CIM_DIALECT_NN_TRANSFORMS_PASSES_H

#include "cim/Dialect/CIM/IR/Splits.h"
#include "mlir/Pass/Pass.h"

namespace cim::nn {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_PASSES_H
