// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX import: from a .onnx file to a module of the nn dialect.
#ifndef CIM_FRONTEND_ONNX_IMPORTONNX_H
#define CIM_FRONTEND_ONNX_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include <optional>

namespace cim {

/// What the caller decides about a network before it is imported.
struct ImportOptions {
  /// Shapes of graph inputs by name; they bind symbolic dimensions and may
  /// replace the leading (batch) dimension of a static shape.
  llvm::StringMap<llvm::SmallVector<int64_t>> shapes;
  /// Samples per call: replaces the leading dimension of every graph input.
  /// Constant Reshape targets that begin with the file's own batch follow.
  std::optional<int64_t> batch;
};

/// Imports the ONNX file at `path` as a module with one function `@main` of nn
/// ops (docs/Architecture.md, "Contracts between phases"). Weights become
/// resources, host integers (shape arithmetic) are folded, dead nodes dropped.
/// Malformed files and what the compiler does not support yield one error
/// diagnostic in `context`, located at the file and the node.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(mlir::MLIRContext &context, llvm::StringRef path,
           const ImportOptions &options = {});

/// Parses `NAME=1x3x32x32` (the value of --shape) into `options`; returns a
/// message that says what is wrong, or nothing.
std::optional<std::string> addShapeOption(ImportOptions &options,
                                          llvm::StringRef text);

/// Registers `--import-onnx`, `--shape` and `--batch` with mlir-translate.
void registerImportOnnxTranslation();

/// Prints docs/SupportedOps.md, generated from the table of handlers.
void printSupportedOps(llvm::raw_ostream &stream);

} // namespace cim

#endif // CIM_FRONTEND_ONNX_IMPORTONNX_H
