// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-opt: runs the passes of this project, and MLIR's, on text or bytecode IR.
#include "cim/InitAll.h"
#include "cim/Version.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

int main(int argc, char **argv) {
  llvm::cl::SetVersionPrinter(cim::printVersion);
  mlir::DialectRegistry registry;
  cim::registerAllDialects(registry);
  cim::registerAllPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv,
      "cim-opt: passes of the compute-in-memory compiler\n\n"
      "Example: cim-opt net.mlir --convert-nn-to-cim=target=imec-ania\n",
      registry));
}
