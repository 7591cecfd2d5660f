// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Model-local functions are expanded where they are called.
#ifndef CIM_LIB_FRONTEND_ONNX_FUNCTIONCALL_H
#define CIM_LIB_FRONTEND_ONNX_FUNCTIONCALL_H

#include "ImportState.h"

namespace cim::onnx {

/// Imports the body of `function` in the place of `node`; its nodes are called
/// "node/inner". Fails after an error, or without one when the body depends on
/// what has been refused.
llvm::LogicalResult callFunction(ImportState &state, const Node &node,
                                 const Function &function);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_FUNCTIONCALL_H
