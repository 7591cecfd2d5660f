// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --import-onnx and its options for mlir-translate style tools.
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace {
struct CommandLine {
  llvm::cl::OptionCategory category{"ONNX import options"};
  llvm::cl::list<std::string> shapes{
      "shape",
      llvm::cl::desc("Shape of a graph input, binds symbolic dimensions; may "
                     "be given for several inputs"),
      llvm::cl::value_desc("NAME=1x3x32x32"), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> batch{
      "batch",
      llvm::cl::desc("Samples per call: replaces the leading dimension of "
                     "every graph input"),
      llvm::cl::init(0), llvm::cl::cat(category)};
};
} // namespace

static OwningOpRef<Operation *> translate(llvm::SourceMgr &sources,
                                          MLIRContext *context,
                                          const CommandLine &commandLine) {
  // The path, not the buffer: external weights lie beside the file.
  StringRef path =
      sources.getMemoryBuffer(sources.getMainFileID())->getBufferIdentifier();
  cim::ImportOptions options;
  for (const std::string &text : commandLine.shapes)
    if (std::optional<std::string> message =
            cim::addShapeOption(options, text)) {
      emitError(FileLineColLoc::get(context, path, 0, 0)) << *message;
      return {};
    }
  if (commandLine.batch.getNumOccurrences() > 0)
    options.batch = commandLine.batch;
  FailureOr<OwningOpRef<ModuleOp>> module =
      cim::importOnnx(*context, path, options);
  if (failed(module))
    return {};
  return OwningOpRef<Operation *>(module->release().getOperation());
}

void cim::registerImportOnnxTranslation() {
  static CommandLine commandLine;
  static TranslateToMLIRRegistration registration(
      "import-onnx", "import an ONNX file as a module of the nn dialect",
      [](llvm::SourceMgr &sources, MLIRContext *context) {
        return translate(sources, context, commandLine);
      },
      [](DialectRegistry &registry) {
        registry.insert<func::FuncDialect, cim::nn::NNDialect>();
      });
}
