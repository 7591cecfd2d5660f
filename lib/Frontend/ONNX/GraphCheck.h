// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structure of an ONNX graph: who produces what, in which order, what is live.
#ifndef CIM_LIB_FRONTEND_ONNX_GRAPHCHECK_H
#define CIM_LIB_FRONTEND_ONNX_GRAPHCHECK_H

#include "Model.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallVector.h"

namespace cim::onnx {

/// Checks that every value has one producer and every input a source, that the
/// graph has outputs and no cycle. Returns the nodes that graph outputs depend
/// on, producers first, or reports one error.
mlir::FailureOr<llvm::SmallVector<const Node *>>
orderLiveNodes(const Model &model, mlir::Location fileLoc);

/// NameLoc of a node around the file's location.
mlir::Location nodeLoc(mlir::Location fileLoc, const Node &node);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_GRAPHCHECK_H
