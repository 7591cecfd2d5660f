// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Conversion.
include "mlir/Pass/PassBase.td"
