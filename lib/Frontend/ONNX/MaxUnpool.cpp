// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// MaxUnpool.
#include "FlatIndex.h"
#include "Window.h"

using namespace mlir;

namespace cim::onnx {

/// The shape that indices refer to: that of what was pooled.
static SmallVector<int64_t> pooledShape(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  SmallVector<int64_t> kernel =
      b.getInts("kernel_shape").value_or(SmallVector<int64_t>());
  Window window = readWindow(b, spatialExtents(b, 0, 3, 5), kernel);
  if (b.failed())
    return {};
  size_t spatial = kernel.size();
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent;
    if (llvm::MulOverflow(shape[2 + i], window.strides[i], extent)) {
      b.error() << "its result is too large for any memory";
      return {};
    }
    shape[2 + i] = extent - window.strides[i] + kernel[i] - window.pads[i] -
                   window.pads[spatial + i];
  }
  if (llvm::any_of(shape, [](int64_t extent) { return extent < 1; }))
    b.error() << "expected a result with elements, but got "
              << shapeText(shape);
  return shape;
}

static LogicalResult importMaxUnpool(NodeBinder &b) {
  SmallVector<int64_t> shape = pooledShape(b);
  SmallVector<int64_t> wanted =
      b.hasInput(2) ? b.constantInts(2, "output_shape") : shape;
  Value values = b.floatInput(0), indices = b.integerInput(1);
  if (b.failed())
    return failure();
  if (b.shape(0) != b.shape(1))
    return b.error() << "expected one index for each value, but got "
                     << shapeText(b.shape(1)) << " for "
                     << shapeText(b.shape(0));
  SmallVector<int64_t> pads(2 * shape.size(), 0);
  bool fits = wanted.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    fits = wanted[i] >= shape[i] && wanted[i] <= (int64_t(1) << 31);
    pads[shape.size() + i] = fits ? wanted[i] - shape[i] : 0;
  }
  if (!fits)
    return b.error() << "expected an 'output_shape' of " << shapeText(shape)
                     << " or more, but got " << shapeText(wanted);
  if (failed(b.checkShape(shape)))
    return failure();
  int64_t count = llvm::product_of(b.shape(0));
  Value zeros =
      b.createBroadcast(b.createScalar(0.0f), llvm::product_of(shape));
  Value result = b.create<nn::ScatterOp>(
      zeros, toPositions(b, b.createReshape(indices, count)),
      b.createReshape(values, count), 0, nn::Combine::Set);
  result = b.createReshape(result, shape);
  if (wanted != shape)
    result = b.create<nn::PadOp>(result, pads, llvm::APFloat(0.0f));
  return b.result(result);
}

void registerMaxUnpool(HandlerTable &table) {
  table.add("MaxUnpool",
            {Place::Digital, "one to three spatial dimensions; constant "
                             "output_shape"},
            {{9, importMaxUnpool}});
}

} // namespace cim::onnx
