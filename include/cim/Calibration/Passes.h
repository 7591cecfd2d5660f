// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Calibration; Passes.td describes them.
#ifndef CIM_CALIBRATION_PASSES_H
#define CIM_CALIBRATION_PASSES_H

#include "cim/Calibration/GainMethod.h"
#include "cim/Calibration/RangeMethod.h"
#include "cim/Dialect/CIM/IR/Splits.h"
#include "mlir/Pass/Pass.h"

namespace cim {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

#endif // CIM_CALIBRATION_PASSES_H
