// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-calibrate-layers: ADC gains, and statistics of every layer put right.
#include "MappedRun.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"

namespace cim {
#define GEN_PASS_DEF_CALIBRATELAYERSPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

struct CalibrateLayersPass
    : cim::impl::CalibrateLayersPassBase<CalibrateLayersPass> {
  using CalibrateLayersPassBase::CalibrateLayersPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    insertMappedRunDialects(registry, target);
  }

  void runOnOperation() override {
    if (data.empty())
      return;
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    FailureOr<SampleData> loaded = loadSamples(module, data, samples);
    SmallVector<MvmOp> layers;
    FailureOr<NetworkCalibration> calibration =
        collectLayers(module, classes, layers);
    FailureOr<GainChoice> gains =
        makeGainChoice(module, adcRange, adcPercentile, *arch);
    if (failed(loaded) || failed(calibration) || failed(gains))
      return signalPassFailure();
    if (layers.empty())
      return;
    calibration->gains = *gains;
    if (classes && llvm::none_of(calibration->layers, [](const auto &layer) {
          return layer.makesLogits;
        }))
      module.emitRemark("outputs are said to be logits, but no layer on arrays "
                        "makes them as they are: their gains are those of "
                        "other layers");
    FailureOr<MappedRun> run =
        MappedRun::compile(module, target, *arch, *loaded);
    if (failed(run) || failed(run->run(*calibration)))
      return signalPassFailure();
    writeBack(module, layers, *calibration);
  }

private:
  void writeBack(ModuleOp module, MutableArrayRef<MvmOp> layers,
                 const NetworkCalibration &calibration) {
    Builder builder(&getContext());
    for (auto [op, layer] : llvm::zip_equal(layers, calibration.layers)) {
      const MatrixCalibration &cells = calibration.matrices[layer.matrix];
      setEpilogue(op, layer.scale, layer.bias);
      auto matrix = module.lookupSymbol<MatrixOp>(op.getMatrix());
      for (auto block : matrix.getBody().getOps<BlockOp>())
        block.setGainAttr(
            builder.getF32FloatAttr(cells.gains[block.getPlane()]));
    }
  }
};

} // namespace
