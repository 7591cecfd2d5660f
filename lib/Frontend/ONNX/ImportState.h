// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known while a network is imported: the values by name, graph within
// graph.
#ifndef CIM_LIB_FRONTEND_ONNX_IMPORTSTATE_H
#define CIM_LIB_FRONTEND_ONNX_IMPORTSTATE_H

#include "ImportErrors.h"
#include "Model.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace cim::onnx {

/// What loops and functions are unrolled to at most, and how deep they may be
/// nested.
constexpr int64_t kMaxUnrolledNodes = 100000;
constexpr unsigned kMaxDepth = 100;

/// What the constants that the importer computes may take in all: this, and
/// this many times the file.
constexpr int64_t kTableBytes = int64_t(20) << 20;
constexpr int64_t kTableFactor = 2;

/// An ONNX value: a constant the importer can compute with, an SSA value, or a
/// constant that has also been emitted. A value that is neither was not
/// imported for a reason that has been reported; its readers are passed over.
struct ImportedValue {
  HostTensor host;
  mlir::Value ssa;
  /// An input of a function that its caller left out.
  bool isOmitted = false;

  bool isMissing() const { return !host && !ssa && !isOmitted; }
};

/// The values of one graph while it is imported.
struct Scope {
  Scope *parent = nullptr; ///< the graph around a subgraph
  /// Attributes of the function of which the graph is the body, else null.
  const llvm::StringMap<const Attribute *> *attributes = nullptr;
  const Opsets *opsets = nullptr;
  /// Names that a live node or an output of the graph reads.
  const llvm::StringSet<> *used = nullptr;
  /// Precedes the names of nodes in messages and locations: "outer/".
  std::string prefix;
  llvm::StringMap<ImportedValue> values;
};

struct ImportState {
  ImportState(mlir::OpBuilder &builder, mlir::Location fileLoc,
              const Model &model)
      : builder(builder), fileLoc(fileLoc), model(model) {}

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
  /// The value of an attribute that may refer to one of the function in whose
  /// body it is; null when the function was called without that one.
  const Attribute *resolve(const Attribute &attribute) const;
  /// A constant as the importer computes with it: floats of every width become
  /// binary32, with one remark.
  HostTensor narrowed(HostTensor tensor);
  /// Says once that the file has wider or narrower floats than binary32.
  void remarkNarrowed();

  mlir::OpBuilder &builder;
  mlir::Location fileLoc;
  const Model &model;
  Scope *scope = nullptr;
  ImportErrors errors;
  /// Set when the caller replaced the file's batch: old and new extent.
  std::optional<std::pair<int64_t, int64_t>> batchChange;
  /// Bodies of loops and functions are imported many times, but complained
  /// about once.
  llvm::DenseSet<const Node *> warned, refused;
  /// Results of ops too large to fold that no input of the network goes into.
  llvm::DenseSet<mlir::Value> computedConstants;
  /// True for values that are the same in every run.
  bool isConstant(mlir::Value value) const {
    return value.getDefiningOp<nn::ConstantOp>() ||
           computedConstants.contains(value);
  }
  /// Functions being expanded, outermost first.
  llvm::SmallVector<const Function *> calls;
  /// Graphs being imported, one within the other.
  unsigned depth = 0;
  /// Nodes, and ops made of them, that loops and functions may still add to
  /// those of the file.
  int64_t budget = kMaxUnrolledNodes;
  /// Bytes that constants which are yet to be computed may take.
  int64_t tableBudget = kTableBytes;

private:
  bool saidNarrowed = false;
};

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_IMPORTSTATE_H
