// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-calibrate-layers: ADC gains, and statistics of every layer put right.
#include "ModelRunner.h"
#include "cim/Calibration/Passes.h"

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
    insertModelRunnerDialects(registry);
  }

  void runOnOperation() override {
    if (data.empty())
      return;
    if (failed(loadSamples(getOperation(), data, samples)))
      signalPassFailure();
  }
};

} // namespace
