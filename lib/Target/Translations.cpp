// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-translate --cim-to-shared-object and --cim-to-manifest.
#include "MachineCode.h"

#include "cim/Arch/LoadArch.h"
#include "cim/Conversion/CIMToLLVM/Bufferization.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace cim {

static void registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<CIMDialect, nn::NNDialect>();
  registerBufferization(registry);
}

void registerTargetTranslations() {
  static llvm::cl::opt<std::string> target(
      "target",
      llvm::cl::desc("Chip that the program is placed on: a name or YAML file"),
      llvm::cl::init("host"));
  static llvm::cl::opt<std::string> cpu(
      "cpu",
      llvm::cl::desc("Processor of the host code: native, baseline or a name"),
      llvm::cl::init("native"));
  auto readOptions = [](Operation *module) -> FailureOr<EmitOptions> {
    FailureOr<Arch> arch = loadArch(module->getLoc(), target);
    if (failed(arch))
      return failure();
    EmitOptions options;
    options.arch = *arch;
    options.cpu = cpu;
    return options;
  };
  static TranslateFromMLIRRegistration sharedObject(
      "cim-to-shared-object", "a placed program to a loadable network",
      [=](ModuleOp module, llvm::raw_ostream &os) -> LogicalResult {
        FailureOr<EmitOptions> options = readOptions(module);
        if (failed(options))
          return failure();
        auto linked = compileToSharedObject(module, *options);
        if (failed(linked))
          return failure();
        os << (*linked)->getBuffer();
        return success();
      },
      registerDialects);
  static TranslateFromMLIRRegistration manifest(
      "cim-to-manifest", "the manifest of a placed program, as JSON",
      [=](ModuleOp module, llvm::raw_ostream &os) -> LogicalResult {
        FailureOr<EmitOptions> options = readOptions(module);
        if (failed(options))
          return failure();
        FailureOr<Manifest> result = buildManifest(module, *options);
        if (failed(result))
          return failure();
        os << llvm::formatv("{0:2}\n",
                            llvm::cantFail(llvm::json::parse(result->json)));
        return success();
      },
      registerDialects);
}

} // namespace cim
