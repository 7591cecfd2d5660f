// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known while a network is imported: the values by name, graph within
// graph.
#ifndef CIM_LIB_FRONTEND_ONNX_IMPORTSTATE_H
#define CIM_LIB_FRONTEND_ONNX_IMPORTSTATE_H

#include "ImportErrors.h"
#include "Model.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace cim::onnx {

/// An ONNX value: a constant the importer can compute with, an SSA value, or a
/// constant that has also been emitted. A value that is neither was not
/// imported for a reason that has been reported; its readers are passed over.
struct ImportedValue {
  HostTensor host;
  mlir::Value ssa;

  bool isMissing() const { return !host && !ssa; }
};

/// The values of one graph while it is imported.
struct Scope {
  Scope *parent = nullptr; ///< the graph around a subgraph
  const Opsets *opsets = nullptr;
  /// Names that a live node or an output of the graph reads.
  const llvm::StringSet<> *used = nullptr;
  /// Precedes the names of nodes in messages and locations: "outer/".
  std::string prefix;
  llvm::StringMap<ImportedValue> values;
};

struct ImportState {
  ImportState(mlir::OpBuilder &builder, mlir::Location fileLoc)
      : builder(builder), fileLoc(fileLoc) {}

  /// The value of that name in the innermost scope that has one, or null.
  ImportedValue *find(llvm::StringRef name);
  void bind(llvm::StringRef name, ImportedValue value) {
    scope->values[name] = std::move(value);
  }
  bool isUsed(llvm::StringRef name) const {
    return scope->used->contains(name);
  }
  /// Version of the operator set that the scope imports for `domain`.
  int64_t opset(llvm::StringRef domain) const;
  /// A constant as the importer computes with it: floats of every width become
  /// binary32, with one remark.
  HostTensor narrowed(HostTensor tensor);
  /// Says once that the file has wider or narrower floats than binary32.
  void remarkNarrowed();

  mlir::OpBuilder &builder;
  mlir::Location fileLoc;
  Scope *scope = nullptr;
  ImportErrors errors;
  /// Set when the caller replaced the file's batch: old and new extent.
  std::optional<std::pair<int64_t, int64_t>> batchChange;
  /// Nodes of loop bodies have been warned of once.
  llvm::DenseSet<const Node *> warned;

private:
  bool saidNarrowed = false;
};

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_IMPORTSTATE_H
