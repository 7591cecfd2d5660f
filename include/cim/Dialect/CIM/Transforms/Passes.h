// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Dialect/CIM/Transforms; Passes.td describes them.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_PASSES_H
#define CIM_DIALECT_CIM_TRANSFORMS_PASSES_H

#include "cim/Dialect/CIM/IR/Splits.h"
#include "mlir/Pass/Pass.h"

namespace cim {

/// The phases whose contracts cim-verify-phase knows, in order.
enum class VerifiedPhase {
  Quant,
  CIM,
  Split,
  Tiled,
  Calibrated,
  Placed,
  Program
};

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_PASSES_H
