// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-calibrate-layers: ADC gains, and statistics of every layer put right.
#include "CalibratingDevice.h"
#include "ModelRunner.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace cim {
#define GEN_PASS_DEF_CALIBRATELAYERSPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// More arrays than any chip: where blocks lie changes no number.
constexpr int64_t unlimitedArrays = 1 << 20;

void buildTrialPipeline(OpPassManager &pm, const std::string &target) {
  SetADCGainPassOptions gain;
  gain.target = target;
  pm.addPass(createSetADCGainPass(gain));
  PlaceBlocksPassOptions place;
  place.target = target;
  place.arrays = unlimitedArrays;
  pm.addPass(createPlaceBlocksPass(place));
  pm.addPass(createBuildProgramPass());
  pm.addPass(createCanonicalizerPass());
}

struct CalibrateLayersPass
    : cim::impl::CalibrateLayersPassBase<CalibrateLayersPass> {
  using CalibrateLayersPassBase::CalibrateLayersPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    insertModelRunnerDialects(registry);
    OpPassManager pipeline(ModuleOp::getOperationName());
    buildTrialPipeline(pipeline, target);
    pipeline.getDependentDialects(registry);
  }

  void runOnOperation() override {
    if (data.empty())
      return;
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    FailureOr<SampleData> loaded = loadSamples(module, data, samples);
    NetworkCalibration calibration;
    if (failed(loaded) || failed(collect(module, calibration)))
      return signalPassFailure();
    if (calibration.layers.empty())
      return;
    if (failed(calibrate(module, *arch, *loaded, calibration)))
      return signalPassFailure();
    if (!calibration.sequential)
      for (LayerCalibration &layer : calibration.layers)
        layer.correct();
    writeBack(module, calibration);
  }

private:
  static FailureOr<std::vector<double>>
  read(MvmOp op, std::optional<ElementsAttr> attribute) {
    if (!attribute || !*attribute)
      return std::vector<double>();
    return readElements<double>(op.getLoc(), *attribute);
  }

  /// Layers in the order of the program, which is how the device counts them.
  LogicalResult collect(ModuleOp module, NetworkCalibration &calibration) {
    llvm::StringMap<size_t> matrices;
    WalkResult walk = module.walk([&](MvmOp op) {
      LayerCalibration layer;
      layer.matrix =
          matrices.try_emplace(op.getMatrix(), matrices.size()).first->second;
      auto take = [&](std::vector<double> &to,
                      std::optional<ElementsAttr> attribute) {
        FailureOr<std::vector<double>> values = read(op, attribute);
        if (succeeded(values))
          to = std::move(*values);
        return succeeded(values);
      };
      if (!take(layer.scale, op.getScale()) ||
          !take(layer.bias, op.getBias()) || !take(layer.mean, op.getMean()) ||
          !take(layer.deviation, op.getDeviation()))
        return WalkResult::interrupt();
      calibration.layers.push_back(std::move(layer));
      return WalkResult::advance();
    });
    calibration.matrices.resize(matrices.size());
    return failure(walk.wasInterrupted());
  }

  /// Builds a program of a copy of the network and streams the samples through
  /// the calibrating device.
  LogicalResult calibrate(ModuleOp module, const Arch &arch,
                          const SampleData &data,
                          NetworkCalibration &calibration) {
    int64_t count = chooseBatch(module, data.count);
    if (count < data.count)
      module.emitRemark("calibrates layers on ")
          << count << " of " << data.count
          << " samples: the feature maps of more would not fit into memory";
    OwningOpRef<ModuleOp> clone = module.clone();
    if (!rebatch(*clone, count)) {
      clone = module.clone();
      count = data.count;
      calibration.sequential = false;
      module.emitRemark("samples are not independent along the leading "
                        "dimension: layers are calibrated without the "
                        "corrections of the layers before them");
    }
    PassManager pm(module.getContext());
    buildTrialPipeline(pm, target);
    if (failed(pm.run(*clone)))
      return failure();
    FailureOr<ModelRunner> runner = ModelRunner::compile(*clone, arch);
    auto run = [&](NetworkCalibration &device) {
      cim_session_options options = {};
      options.size = sizeof options;
      options.threads = 1;
      options.device_api = getCalibratingDevice(device);
      return runner->run(data, count, options);
    };
    if (failed(runner))
      return failure();
    if (calibration.layers.size() > calibration.matrices.size()) {
      // A first run, of which only what matrices saw is kept.
      NetworkCalibration trial = calibration;
      trial.isTrial = true;
      if (failed(run(trial)))
        return failure();
      decideGains(arch, trial, calibration);
    }
    return run(calibration);
  }

  static void decideGains(const Arch &arch, NetworkCalibration &trial,
                          NetworkCalibration &calibration) {
    cim_rounding rounding = arch.adcRounding() == Arch::Rounding::Floor
                                ? CIM_FLOOR
                                : CIM_NEAREST_EVEN;
    for (auto [matrix, seen] :
         llvm::zip_equal(calibration.matrices, trial.matrices)) {
      seen.decideGains(arch.adcLo(), arch.adcHi(), rounding);
      matrix.gains = std::move(seen.gains);
    }
  }

  static bool rebatch(ModuleOp clone, int64_t batch) {
    ScopedDiagnosticHandler quiet(clone.getContext(),
                                  [](Diagnostic &) { return success(); });
    return succeeded(nn::setBatch(clone, batch));
  }

  void writeBack(ModuleOp module, const NetworkCalibration &calibration) {
    Builder builder(&getContext());
    auto next = calibration.layers.begin();
    module.walk([&](MvmOp op) {
      const LayerCalibration &layer = *next++;
      const MatrixCalibration &cells = calibration.matrices[layer.matrix];
      auto type = RankedTensorType::get(
          {static_cast<int64_t>(layer.scale.size())}, builder.getF64Type());
      std::string name = op.getMatrix().str();
      op.setScaleAttr(makeElements<double>(type, layer.scale, name + "_scale"));
      op.setBiasAttr(makeElements<double>(type, layer.bias, name + "_bias"));
      auto matrix = module.lookupSymbol<MatrixOp>(op.getMatrix());
      for (auto block : matrix.getBody().getOps<BlockOp>())
        block.setGainAttr(
            builder.getF32FloatAttr(cells.gains[block.getPlane()]));
    });
  }
};

} // namespace
