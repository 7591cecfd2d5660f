// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Calibration.
include "mlir/Pass/PassBase.td"
