// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A branch of If, or the body of Loop or Scan, imported in the place of the
// node.
#ifndef CIM_LIB_FRONTEND_ONNX_SUBGRAPH_H
#define CIM_LIB_FRONTEND_ONNX_SUBGRAPH_H

#include "GraphImporter.h"
#include "NodeBinder.h"

namespace cim::onnx {

using ImportedValues = llvm::SmallVector<ImportedValue>;

class Subgraph {
public:
  /// The graph in an attribute of the node. The binder has failed when there
  /// is none, or when it has not `inputs` inputs.
  Subgraph(NodeBinder &binder, llvm::StringRef attribute, size_t inputs);

  size_t numOutputs() const { return graph ? graph->outputs.size() : 0; }
  llvm::StringRef outputName(size_t index) const {
    return graph->outputs[index].name;
  }

  /// Imports the graph. `iteration` follows the node's name in those of the
  /// nodes within. Fails without an error when a node within was refused.
  mlir::FailureOr<ImportedValues> run(llvm::ArrayRef<ImportedValue> inputs,
                                      std::string iteration = "");

private:
  NodeBinder &binder;
  const Graph *graph = nullptr;
  std::optional<GraphImporter> importer;
};

/// `parts` joined along a new dimension `axis`; null on error.
mlir::Value stack(NodeBinder &binder,
                  llvm::MutableArrayRef<ImportedValue> parts, int64_t axis,
                  bool reversed = false);

/// The outputs of the node, of which there may be fewer, are `values`.
llvm::LogicalResult bindResults(NodeBinder &binder,
                                llvm::ArrayRef<ImportedValue> values);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_SUBGRAPH_H
