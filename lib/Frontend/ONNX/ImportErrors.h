// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything that keeps a network from being imported, as one error.
#ifndef CIM_LIB_FRONTEND_ONNX_IMPORTERRORS_H
#define CIM_LIB_FRONTEND_ONNX_IMPORTERRORS_H

#include "Model.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace cim::onnx {

/// Collects the errors of nodes, so that a user learns at once how far the
/// network is from supported.
class ImportErrors {
public:
  /// No handler and no function takes the operator of `node`, which messages
  /// call `label`, in version `opset` of its domain.
  void addOperator(const Node &node, std::string label, int64_t opset);
  /// The handler of a node refused it.
  void add(mlir::Diagnostic &diagnostic);

  bool empty() const { return operators.empty() && numRefused == 0; }
  /// One error with a note for each; at the node when there is only one.
  mlir::LogicalResult report(mlir::Location fileLoc) const;

private:
  struct Message {
    mlir::Location loc;
    std::string text;
  };
  struct Operator {
    const Node *node;
    int64_t opset;
    std::vector<std::string> readers;
    size_t numReaders = 0;
  };

  llvm::MapVector<std::string, Operator, std::map<std::string, unsigned>>
      operators;
  /// The first of the refused nodes; notes of theirs follow.
  std::vector<std::vector<Message>> refused;
  size_t numRefused = 0;
};

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_IMPORTERRORS_H
