// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes from a calibrated float network to tiled matrices, which
// calibration runs on copies, too.
#ifndef CIM_CALIBRATION_MATRIXPIPELINE_H
#define CIM_CALIBRATION_MATRIXPIPELINE_H

#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/Pass/PassManager.h"

namespace cim {

/// What decides the integers of a network and their cells.
struct MatrixOptions {
  std::string target, cells;
  Split split;
};

/// Weights and activations become integers.
void buildQuantization(mlir::OpPassManager &pm, const MatrixOptions &options);

/// Layers on integers become matrices, split into planes and tiled.
void buildMatrices(mlir::OpPassManager &pm, const MatrixOptions &options);

} // namespace cim

#endif // CIM_CALIBRATION_MATRIXPIPELINE_H
