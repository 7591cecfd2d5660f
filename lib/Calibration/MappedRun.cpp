// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Streams samples through a copy of a mapped network on the calibrating device.
#include "MappedRun.h"
#include "Logits.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace cim {

/// More arrays than any chip: where blocks lie changes no number.
static constexpr int64_t unlimitedArrays = 1 << 20;
/// Runs that show what layers of one matrix read: the first with the integers
/// nearest to the weights, the others with those chosen by the run before.
static constexpr int pooledRounds = 3;

void buildTrialPipeline(OpPassManager &pm, StringRef target) {
  SetADCGainPassOptions gain;
  gain.target = target.str();
  pm.addPass(createSetADCGainPass(gain));
  PlaceBlocksPassOptions place;
  place.target = target.str();
  place.arrays = unlimitedArrays;
  pm.addPass(createPlaceBlocksPass(place));
  pm.addPass(createBuildProgramPass());
  pm.addPass(createCanonicalizerPass());
}

void insertMappedRunDialects(DialectRegistry &registry, StringRef target) {
  insertModelRunnerDialects(registry);
  OpPassManager pipeline(ModuleOp::getOperationName());
  buildTrialPipeline(pipeline, target);
  pipeline.getDependentDialects(registry);
}

FailureOr<GainChoice> makeGainChoice(ModuleOp module, GainMethod method,
                                     double percentile, const Arch &arch) {
  if (percentile > 0 && percentile <= 100)
    return GainChoice(method, percentile, arch);
  return module.emitError(llvm::formatv(
      "adc-percentile: expected a percentage above 0 and up to 100, but got "
      "{0}",
      llvm::format("%g", percentile)));
}

LogicalResult readTable(MvmOp op, std::optional<ElementsAttr> attribute,
                        std::vector<double> &to) {
  if (!attribute || !*attribute)
    return success();
  FailureOr<std::vector<double>> values =
      readElements<double>(op.getLoc(), *attribute);
  if (succeeded(values))
    to = std::move(*values);
  return values;
}

void setEpilogue(MvmOp op, ArrayRef<double> scale, ArrayRef<double> bias) {
  auto type = RankedTensorType::get({int64_t(scale.size())},
                                    Float64Type::get(op.getContext()));
  std::string name = op.getMatrix().str();
  op.setScaleAttr(makeElements<double>(type, scale, name + "_scale"));
  op.setBiasAttr(makeElements<double>(type, bias, name + "_bias"));
}

FailureOr<NetworkCalibration> collectLayers(ModuleOp module, bool classes,
                                            SmallVectorImpl<MvmOp> &ops) {
  NetworkCalibration calibration;
  llvm::StringMap<size_t> matrices;
  WalkResult walk = module.walk([&](MvmOp op) {
    LayerCalibration layer;
    layer.matrix =
        matrices.try_emplace(op.getMatrix(), matrices.size()).first->second;
    if (failed(readTable(op, op.getScale(), layer.scale)) ||
        failed(readTable(op, op.getBias(), layer.bias)) ||
        failed(readTable(op, op.getMean(), layer.mean)) ||
        failed(readTable(op, op.getDeviation(), layer.deviation)))
      return WalkResult::interrupt();
    layer.makesLogits = areLogits(op, op.getType().getRank() - 1, classes);
    calibration.layers.push_back(std::move(layer));
    calibration.matrices.resize(matrices.size());
    ++calibration.matrices[calibration.layers.back().matrix].uses;
    ops.push_back(op);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  return calibration;
}

FailureOr<MappedRun> MappedRun::compile(ModuleOp module, StringRef target,
                                        const Arch &arch,
                                        const SampleData &data, bool inOrder) {
  MappedRun run;
  run.data = &data;
  run.arch = &arch;
  run.count = chooseBatch(module, data.count);
  if (run.count < data.count)
    module.emitRemark("calibrates layers on ")
        << run.count << " of " << data.count
        << " samples: the feature maps of more would not fit into memory";
  run.program = module.clone();
  run.sequential = rebatch(*run.program, run.count, inOrder);
  if (!run.sequential) {
    run.program = module.clone();
    run.count = data.count;
    module.emitRemark("samples are not independent along the leading "
                      "dimension: layers are calibrated without the "
                      "corrections of the layers before them");
  }
  PassManager pm(module.getContext());
  buildTrialPipeline(pm, target);
  if (failed(pm.run(*run.program)))
    return failure();
  FailureOr<ModelRunner> runner = ModelRunner::compile(*run.program, arch);
  if (failed(runner))
    return failure();
  run.runner = std::move(*runner);
  return run;
}

LogicalResult MappedRun::stream(NetworkCalibration &calibration) {
  cim_session_options options = {};
  options.size = sizeof options;
  options.threads = 1;
  options.device_api = getCalibratingDevice(calibration);
  return runner->run(*data, count, options);
}

/// Chooses the integers of matrices that more than one layer uses, or whose
/// layers do not see all samples at once.
LogicalResult MappedRun::decidePooled(NetworkCalibration &calibration) {
  auto isPooled = [&](const MatrixCalibration &matrix) {
    return matrix.open && (matrix.uses > 1 || !sequential);
  };
  NetworkCalibration trial = calibration;
  trial.isTrial = true;
  for (MatrixCalibration &matrix : trial.matrices)
    if (isPooled(matrix))
      matrix.open->isGathering = true;
  if (failed(stream(trial)))
    return failure();
  for (auto [matrix, seen] :
       llvm::zip_equal(calibration.matrices, trial.matrices))
    if (isPooled(matrix)) {
      matrix.open = std::move(seen.open);
      matrix.open->isGathering = false;
      matrix.open->decide();
    }
  return success();
}

LogicalResult MappedRun::run(NetworkCalibration &calibration) {
  calibration.sequential = sequential;
  bool hasShared = calibration.layers.size() > calibration.matrices.size();
  bool hasOpen = llvm::any_of(calibration.matrices, [](const auto &matrix) {
    return matrix.open && !matrix.open->isDecided;
  });
  if (hasOpen && (hasShared || !sequential))
    for (int round = 0; round < pooledRounds; ++round)
      if (failed(decidePooled(calibration)))
        return failure();
  if (hasShared) {
    // Another one shows what all layers of a matrix make of it.
    NetworkCalibration trial = calibration;
    trial.isTrial = true;
    if (failed(stream(trial)))
      return failure();
    for (auto [matrix, seen] :
         llvm::zip_equal(calibration.matrices, trial.matrices)) {
      seen.decideGains(calibration.gains);
      matrix.gains = std::move(seen.gains);
    }
  }
  if (failed(stream(calibration)))
    return failure();
  if (!sequential)
    for (LayerCalibration &layer : calibration.layers)
      layer.correct();
  return success();
}

} // namespace cim
