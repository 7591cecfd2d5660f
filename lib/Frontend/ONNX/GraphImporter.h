// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Imports a graph into the function that is being built.
#ifndef CIM_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
#define CIM_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H

#include "GraphCheck.h"
#include "ImportState.h"

namespace cim::onnx {

/// A graph to be imported once, or, as the body of a loop, many times.
class GraphImporter {
public:
  GraphImporter(ImportState &state, const Graph &graph)
      : state(state), graph(graph) {}

  /// Checks and orders the graph and binds its initializers. A subgraph reads
  /// values of the scope `around` it, which is null for the network and for
  /// functions. Errors are at `loc`.
  llvm::LogicalResult
  prepare(mlir::Location loc, const Opsets &opsets, Scope *around = nullptr,
          const llvm::StringMap<const Attribute *> *attributes = nullptr);

  /// Imports every node with `inputs` as values of the graph's inputs (those
  /// that are no initializers) and returns the values of its outputs. Nodes
  /// that are refused are added to the state's errors; what depends on them is
  /// missing. `prefix` comes before the names of the nodes.
  llvm::SmallVector<ImportedValue> run(llvm::ArrayRef<ImportedValue> inputs,
                                       std::string prefix);

private:
  void importNode(const Node &node);
  llvm::LogicalResult importUnlessRefused(const Node &node);

  ImportState &state;
  const Graph &graph;
  OrderedNodes order;
  Scope constants;
};

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
