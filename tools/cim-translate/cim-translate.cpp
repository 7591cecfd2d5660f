// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-translate: ONNX files to IR of the nn dialect, as text; placed programs to
// loadable networks.
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "cim/Target/Emit.h"
#include "cim/Version.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  // mlirTranslateMain insists on an input file, which this mode has none of.
  if (argc == 2 && llvm::StringRef(argv[1]) == "--supported-ops") {
    cim::printSupportedOps(llvm::outs());
    return 0;
  }
  llvm::cl::SetVersionPrinter(cim::printVersion);
  cim::registerImportOnnxTranslation();
  cim::registerTargetTranslations();
  return mlir::failed(mlir::mlirTranslateMain(
      argc, argv,
      "cim-translate: ONNX to the nn dialect\n\n"
      "Example: cim-translate --import-onnx net.onnx --shape "
      "input=1x3x32x32 -o net.mlir\n"
      "         cim-translate --cim-to-shared-object program.mlir -o net.so\n"
      "         cim-translate --supported-ops   (prints the table of "
      "operators)\n"));
}
