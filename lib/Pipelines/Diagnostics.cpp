// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Diagnostics as a user of cim-compile reads them.
#include "cim/Pipelines/Diagnostics.h"
#include "cim/Target/OutputFile.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/YAMLParser.h"

using namespace mlir;

namespace cim {

/// The node and file that a location stands for; the first of a fused one.
static void describe(Location location, std::string &node, std::string &file) {
  location->walk([&](Location part) {
    if (auto name = dyn_cast<NameLoc>(part); name && node.empty())
      node = name.getName().str();
    if (auto position = dyn_cast<FileLineColLoc>(part);
        position && file.empty()) {
      file = position.getFilename().str();
      if (position.getLine() != 0)
        file += ":" + std::to_string(position.getLine()) + ":" +
                std::to_string(position.getColumn());
    }
    return WalkResult::advance();
  });
}

static StringRef severityName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  llvm_unreachable("covered switch");
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context,
                                     llvm::raw_ostream &stream,
                                     bool showRemarks)
    : stream(stream), showRemarks(showRemarks),
      handler(&context, [this](Diagnostic &diagnostic) {
        print(diagnostic);
        return success();
      }) {}

void DiagnosticPrinter::print(Diagnostic &diagnostic) {
  std::string node, file;
  describe(diagnostic.getLocation(), node, file);
  DiagnosticSeverity severity = diagnostic.getSeverity();
  if (severity == DiagnosticSeverity::Error)
    ++errors;
  if (severity == DiagnosticSeverity::Remark) {
    remarks.push_back({file, node, diagnostic.str()});
    if (!showRemarks)
      return;
  }
  if (!file.empty())
    stream << file << ": ";
  stream << severityName(severity) << ": ";
  if (!node.empty())
    stream << "node '" << node << "': ";
  stream << diagnostic.str() << "\n";
  for (Diagnostic &note : diagnostic.getNotes())
    print(note);
}

llvm::Error DiagnosticPrinter::writeRemarks(StringRef path) const {
  return writeOutputFile(path, [&](llvm::raw_ostream &os) {
    for (const Remark &remark : remarks)
      os << "- file: \"" << llvm::yaml::escape(remark.file) << "\"\n"
         << "  node: \"" << llvm::yaml::escape(remark.node) << "\"\n"
         << "  message: \"" << llvm::yaml::escape(remark.message) << "\"\n";
    if (remarks.empty())
      os << "[]\n";
    return llvm::Error::success();
  });
}

} // namespace cim
