// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From an ONNX file to an output file.
#include "cim/Pipelines/Compile.h"
#include "CheckInterface.h"
#include "ChoosePrecision.h"
#include "MappingPreview.h"
#include "cim/Arch/LoadArch.h"
#include "cim/Calibration/LayerTuning.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/InitAll.h"
#include "cim/Pipelines/HostPipeline.h"
#include "cim/Target/Emit.h"
#include "cim/Target/OutputFile.h"
#include "cim/Target/Report.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;

namespace cim {

/// Reports at the model: most problems of a compilation as a whole are of it.
static InFlightDiagnostic emitModelError(MLIRContext &context,
                                         const CompileOptions &options) {
  return emitError(FileLineColLoc::get(&context, options.model, 0, 0));
}

static LogicalResult check(MLIRContext &context, const CompileOptions &options,
                           llvm::Error error) {
  if (!error)
    return success();
  return emitModelError(context, options) << llvm::toString(std::move(error));
}

/// Text of a module; large weights are left out of what is meant for reading
/// on a terminal and kept in files.
static LogicalResult writeModule(const CompileOptions &options,
                                 ModuleOp module) {
  OpPrintingFlags flags;
  if (options.output == "-")
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
  return check(*module.getContext(), options,
               writeOutputFile(options.output, [&](llvm::raw_ostream &os) {
                 module.print(os, flags);
                 os << "\n";
                 return llvm::Error::success();
               }));
}

static LogicalResult
runPasses(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module.getContext());
  if (failed(applyPassManagerCLOptions(pm)))
    return failure();
  applyDefaultTimingPassManagerCLOptions(pm);
  build(pm);
  return pm.run(module);
}

/// Takes an imported network through the phases that `options` want. Returns
/// how cells were chosen, when they were.
static FailureOr<std::optional<llvm::json::Object>>
runPhases(OwningOpRef<ModuleOp> &module, const Arch &arch,
          const CompileOptions &options) {
  std::optional<llvm::json::Object> precision;
  if (failed(runPasses(*module, buildNormalizePhase)))
    return failure();
  if (arch.isHost())
    return precision;
  if (failed(runPasses(*module, [&](OpPassManager &pm) {
        nn::KeepDigitalPassOptions digital;
        digital.nodes.assign(options.digital.begin(), options.digital.end());
        pm.addPass(nn::createKeepDigitalPass(digital));
      })))
    return failure();
  PhaseOptions phases;
  phases.copyOptionValuesFrom(options.phases);
  FailureOr<LayerTuning> tuning = failure();
  bool isTuned = options.tuning != Tuning::None && options.emit >= Phase::CIM;
  if (isTuned) {
    tuning = LayerTuning::create(*module, arch, phases.calibration,
                                 phases.samples, options.tuning);
    if (failed(tuning))
      return failure();
  }
  if (options.precision) {
    FailureOr<llvm::json::Object> chosen =
        choosePrecision(module, arch, *options.precision, phases);
    if (failed(chosen))
      return failure();
    precision = std::move(*chosen);
  }
  if (failed(runPasses(*module, [&](OpPassManager &pm) {
        if (options.emit >= Phase::Quant)
          precision ? buildQuantization(pm, phases)
                    : buildQuantizePhase(pm, phases);
        if (options.emit >= Phase::CIM)
          buildMapPhase(pm, phases);
      })))
    return failure();
  if (isTuned &&
      failed(tuning->run(*module, arch, phases.target, phases.classes)))
    return failure();
  if (options.emit >= Phase::Program &&
      failed(runPasses(
          *module, [&](OpPassManager &pm) { buildProgramPhase(pm, phases); })))
    return failure();
  return precision;
}

static LogicalResult writeOutput(ModuleOp program, const Arch &arch,
                                 const CompileOptions &options) {
  EmitOptions emit;
  emit.arch = arch;
  if (options.emit == Phase::SharedObject)
    return emitSharedObject(program, options.output, emit);
  if (options.emit == Phase::Object)
    return emitObject(program, options.output, emit);
  if (options.emit != Phase::LLVM)
    return writeModule(options, program);
  OwningOpRef<ModuleOp> lowered = program.clone();
  PassManager pm(program.getContext());
  buildHostPipeline(pm, HostOptions());
  if (failed(pm.run(*lowered)))
    return failure();
  return writeModule(options, *lowered);
}

LogicalResult compile(MLIRContext &context, const CompileOptions &options) {
  Location modelLoc = FileLineColLoc::get(&context, options.model, 0, 0);
  FailureOr<Arch> arch = loadArch(modelLoc, options.phases.target);
  if (failed(arch))
    return failure();
  if (arch->isHost() && options.emit > Phase::NN && options.emit < Phase::LLVM)
    return emitModelError(context, options)
           << "target '" << options.phases.target
           << "' has no quantised or mapped stage to emit; expected "
              "--emit=nn, llvm, obj or so";

  if (arch->isHost() && options.precision)
    return emitModelError(context, options)
           << "target '" << options.phases.target
           << "' has no cells to choose; expected --accuracy-drop with a chip";

  if (arch->isHost() && (!options.digital.empty() || options.phases.classes ||
                         options.tuning != Tuning::None))
    return emitModelError(context, options)
           << "target '" << options.phases.target
           << "' computes everything digitally, as the network says; expected "
              "--digital, --classes and --tune with a chip";

  if (!options.report.empty() &&
      failed(check(context, options, checkReportPath(options.report))))
    return failure();

  FailureOr<OwningOpRef<ModuleOp>> module =
      importOnnx(context, options.model, options.import);
  if (failed(module) || failed(checkInterface(**module, modelLoc)))
    return failure();
  auto precision = runPhases(*module, *arch, options);
  if (failed(precision))
    return failure();
  if (options.check) {
    printMappingPreview(**module, *arch, llvm::outs());
    return success();
  }
  // The report is of the program, which becomes LLVM only in a copy.
  if (failed(writeOutput(**module, *arch, options)))
    return failure();
  if (options.report.empty() ||
      succeeded(writeReport(**module, *arch, options.report, *precision)))
    return success();
  if (options.output != "-")
    llvm::sys::fs::remove(options.output);
  return failure();
}

void registerCompileDialects(DialectRegistry &registry) {
  cim::registerAllDialects(registry);
}

} // namespace cim
