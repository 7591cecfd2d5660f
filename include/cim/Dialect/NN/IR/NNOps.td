// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All operators of the nn dialect.
#ifndef CIM_DIALECT_NN_IR_NNOPS_TD
#define CIM_DIALECT_NN_IR_NNOPS_TD

include "cim/Dialect/NN/IR/NNConstants.td"
include "cim/Dialect/NN/IR/NNProducts.td"
include "cim/Dialect/NN/IR/NNElementwise.td"
include "cim/Dialect/NN/IR/NNPooling.td"
include "cim/Dialect/NN/IR/NNReduction.td"
include "cim/Dialect/NN/IR/NNMovement.td"

#endif // CIM_DIALECT_NN_IR_NNOPS_TD
