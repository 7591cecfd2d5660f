// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an op offers its weights to the crossbar mapper.
#ifndef CIM_INTERFACES_CROSSBAROPINTERFACE_H
#define CIM_INTERFACES_CROSSBAROPINTERFACE_H

#include "mlir/IR/OpDefinition.h"
#include <cstdint>
#include <string>

namespace cim {

/// A crossbar layer seen as a convolution over an NHWC feature map; the fields
/// mean what they mean in cim_layer (include/cim-c/hal.h). A matrix product
/// has a 1 x 1 kernel, height 1 and one column of the map per matrix row.
struct WindowGeometry {
  int64_t images = 1;
  int64_t inH = 1, inW = 1, inC = 1;
  int64_t outH = 1, outW = 1, outC = 1;
  int64_t kernelH = 1, kernelW = 1;
  int64_t strideH = 1, strideW = 1;
  int64_t dilationH = 1, dilationW = 1;
  int64_t padTop = 0, padLeft = 0;
  int64_t groups = 1;

  /// Rows of the matrix that one output channel really uses.
  int64_t rowsPerGroup() const { return inC / groups * kernelH * kernelW; }
  /// Rows of the whole, block-diagonal matrix.
  int64_t matrixRows() const { return inC * kernelH * kernelW; }
};

} // namespace cim

#include "cim/Interfaces/CrossbarOpInterface.h.inc"

#endif // CIM_INTERFACES_CROSSBAROPINTERFACE_H
