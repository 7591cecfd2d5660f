// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Static shapes of the graph inputs from the file and the caller's options.
#ifndef CIM_LIB_FRONTEND_ONNX_INPUTSHAPES_H
#define CIM_LIB_FRONTEND_ONNX_INPUTSHAPES_H

#include "Model.h"
#include "cim/Frontend/ONNX/ImportOnnx.h"

namespace cim::onnx {

struct InputShape {
  const ValueInfo *info;
  llvm::SmallVector<int64_t> shape;
};

struct InputShapes {
  /// In the order of the file.
  llvm::SmallVector<InputShape> inputs;
  /// Samples per call.
  int64_t batch = 1;
  /// Leading extent that the file itself gives, 1 for a symbolic one.
  int64_t fileBatch = 1;
};

/// Binds every symbolic dimension or reports one error that names the flag to
/// pass. A symbolic leading dimension without a binding is 1, with a remark.
mlir::FailureOr<InputShapes> bindInputShapes(const Graph &graph,
                                             const ImportOptions &options,
                                             mlir::Location fileLoc);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_INPUTSHAPES_H
