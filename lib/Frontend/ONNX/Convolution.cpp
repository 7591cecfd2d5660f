// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conv.
#include "Window.h"

using namespace mlir;

namespace cim::onnx {

static LogicalResult importConv(NodeBinder &b) {
  SmallVector<int64_t> spatial = spatialExtents(b, 0, 3, 4);
  SmallVector<int64_t> kernel = spatialExtents(b, 1, 3, 4);
  std::optional<SmallVector<int64_t>> declared = b.getInts("kernel_shape");
  int64_t groups = b.getInt("group", 1);
  if (declared && *declared != kernel)
    b.error() << "expected 'kernel_shape' to be the weights' "
              << shapeText(kernel) << ", but got " << shapeText(*declared);
  Window window = readWindow(b, spatial, kernel);
  Value input = b.floatInput(0), weights = b.floatInput(1),
        bias = b.optionalFloatInput(2);
  return b.result(b.create<nn::ConvOp>(input, weights, bias, window.strides,
                                       window.dilations, window.pads, groups));
}

void registerConvolution(HandlerTable &table) {
  table.add("Conv",
            {Place::Crossbar, "one or two spatial dimensions; groups, "
                              "dilations, any pads, every auto_pad"},
            {{1, importConv}});
}

} // namespace cim::onnx
