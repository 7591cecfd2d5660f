// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pools.
#include "Window.h"

using namespace mlir;

namespace cim::onnx {

static SmallVector<int64_t> readKernel(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> kernel = b.getInts("kernel_shape");
  if (!kernel)
    b.error() << "expected the attribute 'kernel_shape'";
  else if (llvm::any_of(*kernel, [](int64_t taps) { return taps < 1; }))
    b.error() << "expected a positive 'kernel_shape', but got "
              << shapeText(*kernel);
  return kernel.value_or(SmallVector<int64_t>());
}

/// With auto_pad the number of outputs is given, ceil_mode has no say.
static bool readCeilMode(NodeBinder &b, const Window &window) {
  return b.getBool("ceil_mode", false) && !window.autoPad;
}

static LogicalResult importMaxPool(NodeBinder &b) {
  b.ignore({"storage_order"});
  if (failed(b.refuseOutputs(1, "indices of the maxima")))
    return failure();
  SmallVector<int64_t> kernel = readKernel(b);
  Window window = readWindow(b, spatialExtents(b, 0, 3, 4), kernel);
  Value input = b.realInput(0);
  return b.result(b.create<nn::MaxPoolOp>(input, kernel, window.strides,
                                          window.dilations, window.pads,
                                          readCeilMode(b, window)));
}

static LogicalResult importAveragePool(NodeBinder &b) {
  SmallVector<int64_t> kernel = readKernel(b);
  Window window = readWindow(b, spatialExtents(b, 0, 3, 4), kernel);
  bool countPad = b.getBool("count_include_pad", false);
  Value input = b.floatInput(0);
  return b.result(b.create<nn::AvgPoolOp>(input, kernel, window.strides,
                                          window.dilations, window.pads,
                                          readCeilMode(b, window), countPad));
}

static LogicalResult importGlobalAveragePool(NodeBinder &b) {
  int64_t rank = b.shape(0).size();
  Value input = b.floatInput(0);
  if (b.failed())
    return failure();
  if (rank < 3)
    return b.error() << "expected an operand of rank 3 or more (N x C x "
                        "spatial), but got rank "
                     << rank;
  return b.result(b.create<nn::ReduceMeanOp>(
      input, llvm::to_vector(llvm::seq<int64_t>(2, rank)), true));
}

static LogicalResult importGlobalMaxPool(NodeBinder &b) {
  SmallVector<int64_t> spatial = spatialExtents(b, 0, 3, 4);
  SmallVector<int64_t> ones(spatial.size(), 1), zeros(2 * spatial.size(), 0);
  Value input = b.realInput(0);
  return b.result(
      b.create<nn::MaxPoolOp>(input, spatial, ones, ones, zeros, false));
}

void registerPooling(HandlerTable &table) {
  table.add("MaxPool",
            {Place::Digital, "one or two spatial dimensions; no indices"},
            {{1, importMaxPool}});
  table.add("AveragePool",
            {Place::Digital, "one or two spatial dimensions, float"},
            {{1, importAveragePool}});
  table.add("GlobalAveragePool", {Place::Digital, "float"},
            {{1, importGlobalAveragePool}});
  table.add("GlobalMaxPool", {Place::Digital, "one or two spatial dimensions"},
            {{1, importGlobalMaxPool}});
}

} // namespace cim::onnx
