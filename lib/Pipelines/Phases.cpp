// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phases of a compilation: which passes, in which order.
#include "cim/Pipelines/Phases.h"
#include "cim/Calibration/MatrixPipeline.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace cim {

void buildNormalizePhase(OpPassManager &pm) {
  // Equal ops on one weight constant must not make several of it.
  pm.addPass(createCSEPass());
  pm.addPass(nn::createFoldConstantsPass());
  pm.addPass(nn::createFoldBatchNormPass());
  pm.addPass(nn::createRecogniseQuantizersPass());
  pm.addPass(createCanonicalizerPass());
}

void buildCalibration(OpPassManager &pm, const PhaseOptions &options) {
  EqualizeChannelsPassOptions equalize;
  equalize.data = options.calibration;
  equalize.target = options.target;
  equalize.samples = options.samples;
  pm.addPass(createEqualizeChannelsPass(equalize));
  CalibratePassOptions calibrate;
  calibrate.data = options.calibration;
  calibrate.target = options.target;
  calibrate.samples = options.samples;
  calibrate.range = options.range;
  pm.addPass(createCalibratePass(calibrate));
}

void buildCompensation(OpPassManager &pm, const PhaseOptions &options) {
  CompensateWeightsPassOptions compensate;
  compensate.data = options.calibration;
  compensate.target = options.target;
  compensate.samples = options.samples;
  compensate.cells = options.cells;
  compensate.split = options.split;
  compensate.adcRange = options.adcRange;
  compensate.adcPercentile = options.adcPercentile;
  compensate.classes = options.classes;
  pm.addPass(createCompensateWeightsPass(compensate));
}

void buildQuantization(OpPassManager &pm, const PhaseOptions &options) {
  MatrixOptions matrices{options.target, options.cells, options.split};
  buildQuantization(pm, matrices);
  pm.addPass(createVerifyPhasePass({options.target, VerifiedPhase::Quant}));
}

void buildQuantizePhase(OpPassManager &pm, const PhaseOptions &options) {
  buildCalibration(pm, options);
  buildCompensation(pm, options);
  buildQuantization(pm, options);
}

void buildMapPhase(OpPassManager &pm, const PhaseOptions &options) {
  buildMatrices(pm, {options.target, options.cells, options.split});
  CalibrateLayersPassOptions calibrate;
  calibrate.data = options.calibration;
  calibrate.target = options.target;
  calibrate.samples = options.samples;
  calibrate.adcRange = options.adcRange;
  calibrate.adcPercentile = options.adcPercentile;
  calibrate.classes = options.classes;
  pm.addPass(createCalibrateLayersPass(calibrate));
  pm.addPass(createSetADCGainPass({options.target}));
  pm.addPass(
      createVerifyPhasePass({options.target, VerifiedPhase::Calibrated}));
}

void buildProgramPhase(OpPassManager &pm, const PhaseOptions &options) {
  pm.addPass(createPlaceBlocksPass({options.target, options.arrays}));
  pm.addPass(createVerifyPhasePass({options.target, VerifiedPhase::Placed}));
  pm.addPass(createBuildProgramPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createVerifyPhasePass({options.target, VerifiedPhase::Program}));
}

void registerPhasePipelines() {
  PassPipelineRegistration<>(
      "cim-normalize-phase", "fold and recognise after import",
      [](OpPassManager &pm) { buildNormalizePhase(pm); });
  PassPipelineRegistration<PhaseOptions>(
      "cim-quantize-phase", "calibrate and quantise", buildQuantizePhase);
  PassPipelineRegistration<PhaseOptions>(
      "cim-map-phase", "matrices: convert, split, tile, calibrate",
      buildMapPhase);
  PassPipelineRegistration<PhaseOptions>("cim-program-phase",
                                         "place blocks and build the program",
                                         buildProgramPhase);
}

} // namespace cim
