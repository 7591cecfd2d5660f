// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes from a calibrated float network to tiled matrices.
#include "cim/Calibration/MatrixPipeline.h"
#include "cim/Conversion/Passes.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace cim {

void buildQuantization(OpPassManager &pm, const MatrixOptions &options) {
  pm.addPass(
      nn::createQuantizePass({options.target, options.cells, options.split}));
  pm.addPass(createCanonicalizerPass());
}

void buildMatrices(OpPassManager &pm, const MatrixOptions &options) {
  pm.addPass(createConvertNNToCIMPass({options.target}));
  pm.addPass(nn::createSinkTransposesPass());
  pm.addPass(createFuseEpiloguePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(
      createSplitWeightsPass({options.split, options.cells, options.target}));
  pm.addPass(createTileMatricesPass({options.target}));
}

} // namespace cim
