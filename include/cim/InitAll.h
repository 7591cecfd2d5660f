// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registers every dialect and pass that the tools know.
#ifndef CIM_INITALL_H
#define CIM_INITALL_H

#include "cim/Calibration/Passes.h"
#include "cim/Conversion/CIMToLLVM/Bufferization.h"
#include "cim/Conversion/Passes.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/Pipelines/HostPipeline.h"
#include "cim/Pipelines/Phases.h"
#include "cim/Target/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

namespace cim {

inline void registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<CIMDialect, nn::NNDialect>();
  registerBufferization(registry);
}

inline void registerAllPasses() {
  mlir::registerAllPasses();
  registerCIMPasses();
  registerCIMCalibrationPasses();
  registerCIMConversionPasses();
  registerCIMTargetPasses();
  registerHostPipeline();
  registerPhasePipelines();
  nn::registerNNPasses();
}

} // namespace cim

#endif // CIM_INITALL_H
