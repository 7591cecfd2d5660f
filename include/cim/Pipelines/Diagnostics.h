// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Diagnostics as a user of cim-compile reads them.
#ifndef CIM_PIPELINES_DIAGNOSTICS_H
#define CIM_PIPELINES_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace cim {

/// Prints diagnostics as `net.onnx: error: node 'conv1': message` and collects
/// remarks for a YAML file.
class DiagnosticPrinter {
public:
  /// Remarks are printed only with `showRemarks`; they are always collected.
  DiagnosticPrinter(mlir::MLIRContext &context, llvm::raw_ostream &stream,
                    bool showRemarks);

  /// Writes the remarks so far as a YAML list of `file`, `node` and `message`.
  llvm::Error writeRemarks(llvm::StringRef path) const;

  unsigned errorCount() const { return errors; }

private:
  struct Remark {
    std::string file, node, message;
  };

  void print(mlir::Diagnostic &diagnostic);

  llvm::raw_ostream &stream;
  bool showRemarks;
  unsigned errors = 0;
  std::vector<Remark> remarks;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace cim

#endif // CIM_PIPELINES_DIAGNOSTICS_H
