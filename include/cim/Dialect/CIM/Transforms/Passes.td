// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Dialect/CIM/Transforms.
include "mlir/Pass/PassBase.td"
