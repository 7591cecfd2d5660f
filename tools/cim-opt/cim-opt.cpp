// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-opt: runs the passes of this project, and MLIR's, on text or bytecode IR.
// Options are parsed here and not by MLIR, so that wrong usage exits with 2.
#include "cim/InitAll.h"
#include "cim/Version.h"
#include "mlir/Debug/CLOptionsSetup.h"
#include "mlir/Debug/Counter.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Support/Timing.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

namespace cl = llvm::cl;

static const char overview[] =
    "cim-opt: passes of the compute-in-memory compiler\n\n"
    "  cim-opt net.mlir --convert-nn-to-cim=target=imec-ania\n"
    "  cim-opt net.mlir --cim-map-phase=\"target=imec-ania cells=2\"\n\n"
    "Exit codes: 0 done, 1 the input is wrong, 2 wrong usage.\n";

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::opt<std::string> input(cl::Positional, cl::desc("<input file>"),
                             cl::init("-"));
  cl::opt<std::string> output("o", cl::desc("Output file"), cl::init("-"),
                              cl::value_desc("file"));
  mlir::DialectRegistry registry;
  cim::registerAllDialects(registry);
  cim::registerAllPasses();
  mlir::MlirOptMainConfig::registerCLOptions(registry);
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  mlir::tracing::DebugCounter::registerCLOptions();
  cl::SetVersionPrinter(cim::printVersion);
  std::string complaint;
  llvm::raw_string_ostream complaints(complaint);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &complaints)) {
    llvm::errs() << complaint;
    return 2;
  }
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, input, output, registry));
}
