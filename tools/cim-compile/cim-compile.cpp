// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-compile: from an ONNX network to a program for a chip with analog
// compute-in-memory arrays.
#include "Options.h"
#include "cim/Pipelines/Diagnostics.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"
#include <csignal>
#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace cim;

/// Tensors of calibration come and go by the thousand. By default glibc hands
/// their pages back to the kernel and takes new ones each time (heaps of
/// threads when they are empty, large blocks always), which can take as long as
/// the arithmetic. So all share one heap, which is never trimmed.
static void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

int main(int argc, char **argv) {
  keepFreedMemory();
  llvm::InitLLVM init(argc, argv);
  // A file size limit shall be an error of write(), with a diagnostic.
  std::signal(SIGXFSZ, SIG_IGN);
  ParsedOptions parsed;
  if (!parseOptions(argc, argv, parsed))
    return 2;

  mlir::DialectRegistry registry;
  registerCompileDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  DiagnosticPrinter printer(context, llvm::errs(), !parsed.quiet);
  bool failed = llvm::failed(compile(context, parsed.compile));
  if (failed && printer.errorCount() == 0)
    llvm::WithColor::error(llvm::errs(), "cim-compile")
        << "failed without a diagnostic; this is a bug of the compiler\n";
  if (!parsed.remarks.empty())
    if (llvm::Error error = printer.writeRemarks(parsed.remarks)) {
      llvm::WithColor::error(llvm::errs(), "cim-compile")
          << llvm::toString(std::move(error)) << "\n";
      failed = true;
    }
  return failed ? 1 : 0;
}
