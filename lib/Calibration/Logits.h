// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the channels of a layer's result go.
#ifndef CIM_LIB_CALIBRATION_LOGITS_H
#define CIM_LIB_CALIBRATION_LOGITS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace cim {

/// Follows `value`, whose dimension `dim` are channels, through ops that only
/// move it. `use` sees every other operand that reads it, and which of its
/// dimensions the channels are.
void followChannels(mlir::Value value, int64_t dim,
                    llvm::function_ref<void(mlir::OpOperand &, int64_t)> use);

/// Whether `value`, whose dimension `dim` are channels, goes into a softmax of
/// these, or out of the network if `outputs` are logits.
bool areLogits(mlir::Value value, int64_t dim, bool outputs);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_LOGITS_H
