// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structure of an ONNX graph: who produces what, in which order, what is live.
#ifndef CIM_LIB_FRONTEND_ONNX_GRAPHCHECK_H
#define CIM_LIB_FRONTEND_ONNX_GRAPHCHECK_H

#include "Model.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"

namespace cim::onnx {

/// The nodes of a graph that its outputs depend on, producers first.
struct OrderedNodes {
  llvm::SmallVector<const Node *> nodes;
  /// Names that one of these nodes or a graph output reads.
  llvm::StringSet<> used;
};

/// Checks that every value of the graph has one producer and every input a
/// source, that the graph has outputs and no cycle. Reports one error, at
/// `loc` or with `loc` around the node. What a subgraph reads and does not
/// define (`isSubgraph`) comes from the graphs around it, where the node with
/// the subgraph is checked for having it.
mlir::FailureOr<OrderedNodes>
orderLiveNodes(const Graph &graph, mlir::Location loc, bool isSubgraph = false);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_GRAPHCHECK_H
