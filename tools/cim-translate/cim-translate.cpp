// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-translate: ONNX files to IR of the nn dialect, placed programs to
// loadable networks. Like mlir-translate, but output is complete or absent and
// wrong usage exits with 2, which MLIR's own main does not offer.
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "cim/Target/Emit.h"
#include "cim/Target/OutputFile.h"
#include "cim/Version.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
namespace cl = llvm::cl;

static const char overview[] =
    "cim-translate: formats in and out of the compiler\n\n"
    "  cim-translate --import-onnx net.onnx --shape input=1x3x32x32 -o "
    "net.mlir\n"
    "  cim-translate --cim-to-shared-object program.mlir -o net.so\n"
    "  cim-translate --supported-ops\n\n"
    "Exit codes: 0 done, 1 the input is wrong, 2 wrong usage.\n";

static int usageError(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "cim-translate") << message << "\n";
  return 2;
}

static int inputError(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "cim-translate") << message << "\n";
  return 1;
}

/// Runs one translation; diagnostics go to standard error. The names are
/// copies: the linker behind --cim-to-shared-object resets the command line
/// options.
static int translate(const Translation &translation, std::string input,
                     std::string output) {
  std::string message;
  auto buffer = openInputFile(input, &message);
  if (!buffer)
    return inputError(message);
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  MLIRContext context(MLIRContext::Threading::DISABLED);
  SourceMgrDiagnosticHandler handler(*sources, &context);
  std::string result;
  llvm::raw_string_ostream stream(result);
  if (failed(translation(sources, stream, &context)))
    return 1;
  llvm::Error error = cim::writeOutputFile(output, result);
  return error ? inputError(llvm::toString(std::move(error))) : 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::opt<std::string> input(cl::Positional, cl::desc("<input file>"),
                             cl::init("-"));
  cl::opt<std::string> output("o", cl::desc("Output file"), cl::init("-"),
                              cl::value_desc("file"));
  cl::opt<bool> supportedOps("supported-ops",
                             cl::desc("Print docs/SupportedOps.md: the ONNX "
                                      "operators that --import-onnx takes"));
  cim::registerImportOnnxTranslation();
  cim::registerTargetTranslations();
  registerTranslationCLOptions();
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  cl::opt<const Translation *, false, TranslationParser> translation(
      "", cl::desc("Translation to perform"));
  cl::SetVersionPrinter(cim::printVersion);
  std::string complaint;
  llvm::raw_string_ostream complaints(complaint);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &complaints)) {
    llvm::errs() << complaint;
    return 2;
  }
  if (supportedOps) {
    cim::printSupportedOps(llvm::outs());
    return 0;
  }
  if (!translation.getValue())
    return usageError("expected a translation, such as --import-onnx");
  return translate(*translation.getValue(), input, output);
}
